"""The text beside an offset says time and partitions; other texts say nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.rekey.progress import Progress, read_progress


@given(time_ms=st.integers(-1, 1 << 50), partitions=st.integers(1, 1024))
def test_what_is_written_is_read(time_ms: int, partitions: int) -> None:
    progress = Progress(time_ms, partitions)
    assert read_progress(progress.text()) == progress


@pytest.mark.parametrize("text", ["", "reset by hand", "engage time=x partitions=4", "engage"])
def test_a_text_of_another_tool_is_no_progress(text: str) -> None:
    assert read_progress(text) is None
