"""The right values of windows, of the end of the data, and of amounts."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
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


@case("future_windows_final")
def test_nothing_after_the_newest_event_is_final_or_even_shown() -> None:
    found = report("today_end.jsonl")
    records = found.records()
    assert records
    assert not [r for r in records if (r["window"]["start"] or "") > "2026-11-30T00:51:58Z"]
    # Rolling windows that end with the newest event's day begin before it, but are not over.
    assert not [
        r
        for r in records
        if (r["window"]["end"] or "9999") > "2026-11-30T00:51:58Z" and r["is_final"]
    ]
    # The cart is left for 2 minutes only, and no cohort is a day old.
    assert [found.number("cart_abandonment_rate")[key] for key in ("value", "denominator")] == [
        None,
        0,
    ]
    assert not [r for r in records if r["metric"].startswith(("retention_d", "first_week"))]


@case("future_windows_final")
def test_until_says_that_the_data_are_complete() -> None:
    found = report("today_end.jsonl", "--until", "2026-12-31")
    assert found.number("dormant_users", "month", "2026-12") | {"value": 2, "is_final": True} == (
        found.number("dormant_users", "month", "2026-12")
    )
    assert found.number("cart_abandonment_rate")["value"] == 1
    assert found.number("retention_d30", "day", "2026-11-30")["value"] == 0
    assert not [r for r in found.records() if (r["window"]["start"] or "") > "2026-12-31T00:00:00Z"]
    assert {r["is_final"] for r in found.records() if r["window"]["kind"] == "all"} == {True}


@case("triangle_incomplete")
def test_a_cell_of_a_period_that_is_not_over_is_not_final() -> None:
    found = report("triangle_incomplete.jsonl", "--retention", "first_time", "--window", "week")
    cells = {
        (r["window"]["start"][:10], r["dimensions"]["period"]): (r["value"], r["is_final"])
        for r in found.records()
    }
    assert cells["2025-03-03", "0"] == (1, True)
    assert cells["2025-03-03", "1"] == (0, False)
    assert cells["2025-03-10", "0"] == (1, False)
    table = report(
        "triangle_incomplete.jsonl", "--retention", "first_time", "--window", "week", format="table"
    )
    assert "0.0%*" in table.stdout


@case("one_old_event")
def test_two_events_thirty_years_apart_give_a_few_rows() -> None:
    found = report("one_old.jsonl", format="csv")
    rows = found.stdout.splitlines()
    assert len(rows) < 6_000
    assert {row.split(",")[5][:4] for row in rows[1:]} - {""} == {"1994", "1995", "2025"}
    assert report("one_old.jsonl", "--metric", "page_views").value("page_views") == 2


@case("lord_howe_rolling")
def test_rolling_hours_are_right_after_a_clock_has_moved_by_half_an_hour() -> None:
    found = report(
        "tz_lord_howe_rolling.jsonl", "--window", "trailing_24h", "--until", "2025-04-08",
        settings="tz_lord_howe_rolling.toml",
    )  # fmt: skip
    values = {r["window"]["end"]: r["value"] for r in found.records()}
    assert values["2025-04-07T08:30:00+10:30"] == 2
    # Each window is 24 hours long, and ends an hour after the one before.
    ends = [datetime.fromisoformat(end) for end in values]
    assert {(later - end).seconds for end, later in pairwise(ends)} == {3_600}
    for record in found.records():
        start, end = (datetime.fromisoformat(record["window"][key]) for key in ("start", "end"))
        assert end - start == timedelta(hours=24)
        times = ("2025-04-05T14:00:00Z", "2025-04-06T13:10:00Z", "2025-04-06T13:40:00Z")
        assert record["value"] == sum(start <= datetime.fromisoformat(t) < end for t in times)


@case("stickiness_short_file")
def test_stickiness_is_a_mean_over_the_days_since_counting_began() -> None:
    found = report("stickiness_short.jsonl", "--metric", "stickiness")
    values = [record["value"] for record in found.records()]
    assert values == [1.0] * 7
