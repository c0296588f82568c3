"""Worked examples of the literature, as events through the whole engine."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from schemas.outputs import MetricRecord, WindowKind
from stream.report.file_report import Report
from stream.report.periods import Complete
from stream.settings.application import Settings

DAY_MS = 86_400_000
#: 1 April 2024, noon UTC; that April has 30 days.
NOON_MS = 1_711_972_800_000
NOW_MS = NOON_MS + 365 * DAY_MS
Event = dict[str, Any]


def records(
    events: Iterable[Event], metric: str, kind: WindowKind, settings: Settings | None = None
) -> list[MetricRecord]:
    """Return the whole site's records of a metric, by window."""
    found = records_by(events, metric, kind, settings)
    return [record for record in found if not record.dimensions]


def records_by(
    events: Iterable[Event],
    metric: str,
    kind: WindowKind,
    settings: Settings | None = None,
    until: Complete | None = None,
) -> list[MetricRecord]:
    """Return all records of a metric, by window and dimension. The data are complete to the newest day."""
    bad: list[object] = []
    report = Report(settings or Settings(), NOW_MS, bad.append)
    ordered = sorted(events, key=lambda event: event["event_time"])
    numbered = ({"event_id": f"e{n}"} | event for n, event in enumerate(ordered))
    report.read("example", [msgspec.json.encode(event) for event in numbered])
    assert bad == []
    return list(report.records({metric}, {kind}, until or end_of_day(ordered[-1]["event_time"])))


def end_of_day(time_ms: int) -> Complete:
    """Return the end of an event's day, to which the data of an example are complete."""
    day = datetime.fromtimestamp(time_ms / 1000, UTC).toordinal()
    return Complete(datetime.fromordinal(day + 1))


def on(day: int, kind: str, who: str, minute: int = 0, **fields: Any) -> Event:
    """Return an event on a day of April (0: the last of March)."""
    time_ms = NOON_MS + (day - 1) * DAY_MS + minute * 60_000
    return {"type": kind, "event_time": time_ms, "user_id": who, **fields}


def customers(start: int, gained: int, lost: int, gained_and_lost: int = 0) -> list[Event]:
    """Return the events of `start` customers on the last of March, and of those who come and go in April.

    Events on the first and the last day of April make its windows exist.
    """
    events = [on(0, "subscription_started", f"old{n}", subscription_id="s", mrr=10)
              for n in range(start)]  # fmt: skip
    events += [on(5, "subscription_started", f"new{n}", subscription_id="s", mrr=10)
               for n in range(gained)]  # fmt: skip
    events += [on(20, "subscription_ended", f"old{n}", subscription_id="s") for n in range(lost)]
    events += [on(20, "subscription_ended", f"new{n}", subscription_id="s")
               for n in range(gained_and_lost)]  # fmt: skip
    return [*events, on(1, "page_view", "someone"), on(30, "page_view", "someone")]


def value_in(found: list[MetricRecord], start: str) -> MetricRecord:
    [record] = [one for one in found if one.window.start == start]
    return record


@pytest.mark.parametrize("kind", ["month", "trailing_30d"])
def test_churn_is_a_tenth_when_10_of_100_leave(kind: WindowKind) -> None:
    found = records(customers(100, 25, 10), "churn_rate", kind)
    record = value_in(found, "2024-04-01T00:00:00Z")
    assert (record.numerator, record.denominator, record.value) == (10, 100, 0.10)


def test_churn_is_a_tenth_when_100_of_1000_leave() -> None:
    found = records(customers(1_000, 0, 100), "churn_rate", "month")
    assert value_in(found, "2024-04-01T00:00:00Z").value == 0.10


def test_customers_who_came_and_went_in_the_month_are_not_lost_from_its_start() -> None:
    found = records(customers(100, 25, 10, gained_and_lost=5), "churn_rate", "month")
    assert value_in(found, "2024-04-01T00:00:00Z").value == 0.10


def test_churn_over_start_plus_new_counts_customers_who_came_and_went() -> None:
    settings = Settings(
        churn=msgspec.convert({"denominator": "start_plus_new"}, type(Settings().churn))
    )
    found = records(customers(100, 25, 10, gained_and_lost=5), "churn_rate", "month", settings)
    record = value_in(found, "2024-04-01T00:00:00Z")
    assert (record.numerator, record.denominator) == (15, 125)


@pytest.mark.parametrize("kind", ["month", "trailing_30d"])
def test_retention_is_four_fifths_when_80_of_100_stay_and_10_are_new(
    kind: WindowKind,
) -> None:
    events = customers(100, gained=10, lost=20)
    record = value_in(records(events, "customer_retention_rate", kind), "2024-04-01T00:00:00Z")
    assert (record.numerator, record.denominator, record.value) == (80, 100, 0.80)
    day = records(events, "active_customers", "day")
    assert value_in(day, "2024-04-30T00:00:00Z").value == 90


def test_retention_excludes_new_customers() -> None:
    # 10,000 at the start, 5,000 gained, 12,000 at the end, a tenth of each: 0.70, and not 0.20.
    events = customers(1_000, gained=500, lost=300)
    record = value_in(records(events, "customer_retention_rate", "month"), "2024-04-01T00:00:00Z")
    assert record.value == 0.70


def test_click_through_is_a_tenth_when_100_of_1000_are_clicked() -> None:
    events = [on(1, "impression", f"p{n % 70}", n % 60, content_id="c") for n in range(1_000)]
    events += [on(1, "click", f"p{n % 70}", n % 60, content_id="c") for n in range(100)]
    events += [on(1, "click", "p1", 5, page_url="/elsewhere")]  # On unknown content.
    record = value_in(records(events, "click_through_rate", "day"), "2024-04-01T00:00:00Z")
    assert (record.numerator, record.denominator, record.value) == (100, 1_000, 0.10)


def test_unique_click_through_is_a_quarter_when_50_people_click_of_200_impressions() -> None:
    events = [on(1, "impression", f"p{n}", n % 60, content_id="c") for n in range(200)]
    events += [on(1, "click", f"p{n % 50}", n, content_id="c") for n in range(130)]
    found = records(events, "unique_click_through_rate", "day")
    record = value_in(found, "2024-04-01T00:00:00Z")
    assert (record.numerator, record.denominator, record.value) == (50, 200, 0.25)


def test_stickiness_is_013_when_26_of_200_are_active_on_an_average_day() -> None:
    # 200 people, and 26 × 28 active days between them (2,600 of 20,000, a hundredth of each).
    days = [(number % 200, number // 200) for number in range(26 * 28)]
    events = [on(1 + (who + 7 * turn) % 28, "page_view", f"p{who}") for who, turn in days]
    found = records(events, "stickiness", "trailing_28d")
    [record] = [one for one in found if one.window.end == "2024-04-29T00:00:00Z"]
    assert record.denominator == 200
    assert record.value == pytest.approx(0.13)


def test_a_ratio_without_data_is_null_and_not_zero() -> None:
    found = records([on(1, "page_view", "someone")], "click_through_rate", "day")
    assert [(record.value, record.denominator) for record in found] == [(None, 0)]
