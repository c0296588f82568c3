"""The right values of windows, of the end of the data, and of amounts."""

import json
from pathlib import Path

import pytest

from tests.reported.cases import case, report


def order_of(folder: Path, revenue: float) -> Path:
    """Write a file with one order."""
    event = {
        "type": "order", "event_id": "e", "event_time": "2025-03-10T10:00:00Z",
        "order_id": "o", "visitor_id": "v", "revenue": revenue,
    }  # fmt: skip
    file = folder / "orders.jsonl"
    file.write_text(json.dumps(event) + "\n")
    return file


@case("float_noise")
@pytest.mark.parametrize("revenue", [17.94, 1.1, 0.07])
def test_an_amount_is_shown_with_the_digits_that_it_has(tmp_path: Path, revenue: float) -> None:
    file = order_of(tmp_path, revenue)
    found = report(file, "--metric", "revenue", "--metric", "average_order_value")
    assert found.value("revenue") == found.value("average_order_value") == revenue
    as_csv = report(file, "--metric", "revenue", "--window", "all", format="csv")
    assert f",{revenue}," in as_csv.stdout


@case("float_noise")
def test_the_amounts_of_a_page_that_is_visited_again_are_exact() -> None:
    found = report("thank_you_revisited.jsonl", "--metric", "revenue")
    assert found.value("revenue") == 17.94
