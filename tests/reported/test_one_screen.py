"""A report of a large file fits one screen."""

import pytest

from tests.reported.cases import CASES, report

SHOP = CASES / "retentioneering" / "events.jsonl.gz"


@pytest.mark.parametrize("width", [80, 120])
def test_a_report_without_options_fits_one_screen(width: int) -> None:
    lines = report(SHOP, format="table", COLUMNS=str(width)).stdout.splitlines()
    assert 40 < len(lines) <= 60
    assert max(map(len, lines)) <= width
    rows = {line.split()[0]: line.split()[1:3] for line in lines if line.startswith("  ")}
    assert rows["sessions"] == ["3,605", "all"]
    assert rows["pages_per_session"] == ["5.86", "all"]
    assert rows["session_conversion_rate"] == ["13.0%", "all"]
