"""Levels of windows that are not over: an end that is announced for later has not come yet."""

import json
from datetime import date

import pytest

from schemas.outputs import MetricRecord
from stream.report.file_report import Report
from stream.report.periods import parse_complete
from stream.settings.application import Settings
from stream.settings.audience import ActiveSettings

START = {"type": "subscription_started", "subscription_id": "s", "mrr": 20}
CANCELLED = {"type": "subscription_cancelled", "subscription_id": "s"}
EVENTS = [
    START | {"event_time": "2024-03-01T10:00:00Z"},
    CANCELLED | {"event_time": "2024-03-10T10:00:00Z", "effective_at": "2024-03-25T10:00:00Z"},
    {"type": "page_view", "event_time": "2024-03-12T10:00:00Z"},
]
METRICS = ("mrr", "mrr_churn", "monthly_activity_rate", "active_customers")


def numbers(metric: str, until: str = "", *more: dict[str, str]) -> list[MetricRecord]:
    """Return the records of the month and of days, with a calendar month of active people."""
    report = Report(Settings(active=ActiveSettings(month="calendar")), 1 << 60, lambda bad: None)
    lines = [
        json.dumps({"event_id": f"e{n}", "user_id": "u"} | event).encode()
        for n, event in enumerate([*EVENTS, *more])
    ]
    report.read("events", lines)
    complete = parse_complete(until) if until else None
    return list(report.records([metric], ["month", "day"], complete))


def of_march(records: list[MetricRecord]) -> MetricRecord:
    [month] = [
        record
        for record in records
        if record.window.kind == "month" and (record.window.start or "").startswith("2024-03")
    ]
    return month


@pytest.mark.parametrize(
    ("metric", "value"), [("mrr", 20), ("mrr_churn", None), ("monthly_activity_rate", 1)]
)
def test_a_month_that_is_not_over_has_the_level_of_its_newest_day(
    metric: str, value: float | None
) -> None:
    found = of_march(numbers(metric))
    assert not found.is_final
    assert (found.value or None) == value


@pytest.mark.parametrize(
    ("metric", "value"), [("mrr", 0), ("mrr_churn", 20), ("monthly_activity_rate", None)]
)
def test_a_month_that_is_over_has_the_level_of_its_end(metric: str, value: float | None) -> None:
    found = of_march(numbers(metric, "2024-03-31"))
    assert found.is_final
    assert found.value == value


def test_the_level_of_an_open_month_follows_its_newest_day() -> None:
    later = {"type": "page_view", "event_time": "2024-03-26T10:00:00Z"}
    assert of_march(numbers("mrr", "", later)).value == 0
    days = {r.window.start: r.value for r in numbers("active_customers", "", later)}
    assert [days[f"2024-03-{day}T00:00:00Z"] for day in (24, 25)] == [1, 0]
    assert max(start or "" for start in days) == f"{date(2024, 3, 26)}T00:00:00Z"
