"""Retention triangles: cohorts by period, and who returns in which later period."""

from datetime import date
from typing import Any

import msgspec
import pytest

from schemas.outputs import WindowKind
from stream.configure.check_service import broken_rules
from stream.configure.fingerprints import definition_version
from stream.counters.calendar import Calendar
from stream.report.cohorts import Cohort, returned, triangle
from stream.report.file_report import Report
from stream.settings.application import Settings, Site
from stream.settings.audience import RetentionSettings
from stream.settings.definitions import Selection

UTC = Calendar()
Cells = dict[tuple[str, int], tuple[int, int]]


def on(*texts: str) -> list[int]:
    return [date.fromisoformat(text).toordinal() for text in texts]


def cells(
    kind: WindowKind, cohort: Cohort, starts: dict[str, Any], returns: dict[str, Any] | None = None
) -> Cells:
    """Return (active, people) by (cohort, period), without empty cohorts."""
    people = returned(starts, starts if returns is None else returns, kind, cohort, UTC)
    found = triangle(people, kind, UTC)
    return {
        (date.fromordinal(cell.span.first).isoformat(), cell.period): (cell.active, cell.people)
        for cell in found
        if cell.people
    }


def test_a_person_has_one_first_time_and_many_recurring_cohorts() -> None:
    days = {"a": on("2024-03-01", "2024-03-02"), "b": on("2024-03-02", "2024-03-03")}
    assert cells("day", "first_time", days) == {
        ("2024-03-01", 0): (1, 1), ("2024-03-01", 1): (1, 1), ("2024-03-01", 2): (0, 1),
        ("2024-03-02", 0): (1, 1), ("2024-03-02", 1): (1, 1),
    }  # fmt: skip
    assert cells("day", "recurring", days) == {
        ("2024-03-01", 0): (1, 1), ("2024-03-01", 1): (1, 1), ("2024-03-01", 2): (0, 1),
        ("2024-03-02", 0): (2, 2), ("2024-03-02", 1): (1, 2),
        ("2024-03-03", 0): (1, 1),
    }  # fmt: skip


def test_months_have_their_own_lengths() -> None:
    days = {"a": on("2024-01-31", "2024-03-01")}
    assert cells("month", "first_time", days) == {
        ("2024-01-01", 0): (1, 1), ("2024-01-01", 1): (0, 1), ("2024-01-01", 2): (1, 1),
    }  # fmt: skip


def test_a_cohort_may_start_with_other_events_than_those_that_count_as_a_return() -> None:
    starts = {"a": on("2024-03-01"), "b": on("2024-03-01")}
    returns = {"a": on("2024-02-29", "2024-03-02"), "c": on("2024-03-02")}
    found = cells("day", "first_time", starts, returns)
    assert found == {("2024-03-01", 0): (2, 2), ("2024-03-01", 1): (1, 2)}


def test_no_people_have_no_triangle() -> None:
    assert cells("week", "recurring", {}) == {}


# ---- through the engine


def event(number: int, time: str, who: str, kind: str = "page_view", **fields: Any) -> bytes:
    return msgspec.json.encode(
        {"type": kind, "event_id": f"e{number}", "event_time": time, "visitor_id": who, **fields}
    )


def numbers(settings: Settings, *lines: bytes) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    report = Report(settings, 1 << 42, lambda bad: pytest.fail(str(bad)))
    report.read("file", lines)
    return {
        (r.site, (r.window.start or "")[:10], r.dimensions["period"]): (r.numerator, r.denominator)
        for r in report.triangles("first_time", ["day"])
        if r.denominator
    }


def test_each_site_has_its_own_clock_and_bots_and_duplicates_are_excluded() -> None:
    lines = [
        event(1, "2024-03-01T20:00:00Z", "a"),
        event(2, "2024-03-01T20:00:00Z", "a", site="shop"),
        event(2, "2024-03-01T20:00:00Z", "a", site="shop"),
        event(3, "2024-03-02T10:00:00Z", "a"),
        event(4, "2024-03-02T10:00:00Z", "a", site="shop"),
        event(5, "2024-03-02T10:00:00Z", "bot", is_bot=True),
    ]
    report = Report(Settings(sites={"shop": Site(timezone="Asia/Kolkata")}), 1 << 42, print)
    report.read("file", lines)
    found = {
        (r.site, (r.window.start or "")[:10], r.dimensions["period"]): r.numerator
        for r in report.triangles("first_time", ["day"])
        if r.denominator
    }
    assert found == {
        ("default", "2024-03-01", "0"): 1, ("default", "2024-03-01", "1"): 1,
        # In Kolkata both are on the second of March.
        ("shop", "2024-03-02", "0"): 1,
    }  # fmt: skip


def test_start_and_return_are_selected_by_type_and_field() -> None:
    settings = Settings(
        retention=RetentionSettings(
            start=Selection(type="custom", where={"name": "signed up"}),
            returning=Selection(type="order"),
        )
    )
    lines = [
        event(1, "2024-03-01T10:00:00Z", "a", "custom", name="signed up"),
        event(2, "2024-03-01T10:00:00Z", "b", "custom", name="signed up"),
        event(3, "2024-03-01T10:00:00Z", "c", "custom", name="looked around"),
        event(4, "2024-03-02T10:00:00Z", "a"),
        event(5, "2024-03-02T10:00:00Z", "b", "order", order_id="o", revenue=1),
    ]
    expected = {("default", "2024-03-01", "0"): (2, 2), ("default", "2024-03-01", "1"): (1, 2)}
    assert numbers(settings, *lines) == expected


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (RetentionSettings(days=(7, 7)), "retention.days: [7, 7] names a day twice"),
        (
            RetentionSettings(start=Selection(type="oder")),
            "retention.start.type: 'oder' is not an event type; did you mean order?",
        ),
        (
            RetentionSettings(returning=Selection(where={"name": "x"})),
            "retention.returning.type: is not set",
        ),
    ],
)
def test_an_impossible_selection_refuses_to_start(settings: RetentionSettings, words: str) -> None:
    [problem] = broken_rules(Settings(retention=settings))
    assert problem.startswith(words)


def test_another_retention_is_another_definition() -> None:
    other = Settings(retention=RetentionSettings(cohort="recurring"))
    assert definition_version(other) != definition_version(Settings())
