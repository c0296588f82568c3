"""The right values of inputs that overlap, are out of order, cut short, in other forms or left out in part."""

from pathlib import Path

import pytest

from tests.reported.cases import Run, case, report

VIEWS = ("--metric", "page_views", "--window", "all")
SETTINGS_PAGE = Path(__file__).parents[2] / "stream" / "settings" / "README.md"


def accounting(found: Run) -> list[str]:
    """Return the accounting without the meaning of each reason."""
    lines = [line for line in found.stderr.splitlines() if line.strip()[:1].isdigit()]
    return [line.strip().split("  ")[0] for line in lines]


@case("overlapping_files")
def test_an_id_counts_once_however_far_apart_its_lines_are() -> None:
    found = report("overlap_a.jsonl", "overlap_b.jsonl", *VIEWS)
    assert found.value("page_views") == 36
    assert accounting(found) == ["48 lines read", "36 counted", "12 duplicate"]


@case("retry_after_30min")
def test_a_late_retry_is_a_duplicate_in_a_report_and_the_page_says_when_in_the_stream() -> None:
    found = report("retry_after_30min.jsonl", *VIEWS)
    assert found.value("page_views") == 5
    assert accounting(found) == ["6 lines read", "5 counted", "1 duplicate"]
    # The stream forgets ids after dedupe.window_seconds.
    assert report("--as-log", "retry_after_30min.jsonl", *VIEWS).value("page_views") == 6
    assert "A later retry counts twice in the stream" in SETTINGS_PAGE.read_text()


@case("clock_skew")
def test_a_wrong_clock_loses_itself_alone_and_is_named() -> None:
    found = report("clock_skew.jsonl", *VIEWS)
    assert found.value("page_views") == 10
    assert accounting(found) == ["11 lines read", "10 counted", "1 future"]
    assert "clock_skew.jsonl:6: future: " in found.stderr


@case("silent_left_out")
def test_everything_left_out_is_named() -> None:
    arguments = ("silent_left_out.jsonl", "--metric", "orders", "--window", "all")
    file = "silent_left_out.toml"
    # One order comes from okhttp: a bot only if HTTP libraries are (see okhttp_is_bot).
    found = report(*arguments, settings=file, ENGAGE_BOTS_HTTP_LIBRARIES="true")
    assert found.value("orders") == 1
    assert accounting(found) == [
        "5 lines read", "1 counted", "1 other currency", "2 bot", "1 excluded",
    ]  # fmt: skip
    found = report(*arguments, settings=file)
    assert found.value("orders") == 2
    assert accounting(found) == [
        "5 lines read", "2 counted", "1 other currency", "1 bot", "1 excluded",
    ]  # fmt: skip


@case("truncated_gz_exit_code")
@pytest.mark.parametrize("as_log", [(), ("--as-log",)])
def test_a_truncated_file_has_exit_code_one(as_log: tuple[str, ...]) -> None:
    found = report(*as_log, "trunc.jsonl.gz", *VIEWS)
    assert (found.code, found.value("page_views")) == (1, 1_492)
    assert "trunc.jsonl.gz is damaged or cut short after line 1,492" in found.stderr


@case("bom")
def test_a_byte_order_mark_is_no_part_of_the_first_event() -> None:
    assert report("bom.jsonl", *VIEWS).value("page_views") == 5


@case("json_array_lines")
def test_an_array_is_read_like_lines() -> None:
    found = report("array_lines.json", *VIEWS)
    assert found.value("page_views") == 5
    assert accounting(found) == ["5 lines read, all counted"]
