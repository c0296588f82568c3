"""Real inputs with known answers, through the engine as `engage report` runs it."""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.outputs import MetricRecord, WindowKind
from stream.report.file_report import Report
from stream.report.input import read_items
from stream.report.periods import parse_complete
from stream.settings.application import SessionSettings, Settings
from stream.settings.audience import ActiveSettings

CASES = Path(os.environ.get("ENGAGE_CASES") or Path(__file__).parents[3] / "shared" / "cases")
NOW_MS = 1_767_225_600_000  # 2026: after all events.

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"no cases at {CASES}; name their directory in ENGAGE_CASES"
)
Found = Mapping[tuple[str, str], list[MetricRecord]]


def expected(case: str) -> dict[str, Any]:
    """Return the answers published by the owners of the data."""
    answers: dict[str, Any] = json.loads((CASES / case / "expected.json").read_text("utf-8"))
    return answers


def records(
    case: str,
    kinds: Iterable[WindowKind],
    settings: Settings | None = None,
    until: str = "",
) -> Found:
    """Return the whole site's records of a case by (metric, kind of window)."""
    bad: list[object] = []
    report = Report(settings or Settings(dimensions=()), NOW_MS, bad.append)
    [events] = (CASES / case).glob("events.jsonl*")
    report.read(str(events), read_items(str(events)))
    assert bad == []
    found: dict[tuple[str, str], list[MetricRecord]] = {}
    complete = parse_complete(until) if until else None
    for record in report.records(set(), set(kinds), complete):
        if not record.dimensions:
            found.setdefault((record.metric, record.window.kind), []).append(record)
    return found


def whole(found: Found, metric: str) -> MetricRecord:
    """Return a metric over all time."""
    [record] = found[metric, "all"]
    return record


def by_start(found: Found, metric: str, kind: WindowKind) -> dict[str, float | None]:
    """Return the values by the start date of their window, without zeros."""
    return {
        (record.window.start or "")[:10]: record.value
        for record in found[metric, kind]
        if record.value
    }


def sessions_of(boundary: str) -> Settings:
    return Settings(
        dimensions=(),
        session=msgspec.convert({"boundary": boundary}, SessionSettings),
    )


@pytest.mark.parametrize(
    ("boundary", "rule"),
    [
        ("gt", "timeout 1800 s, gap > 1800 splits"),
        ("gte", "timeout 1800 s, gap >= 1800 splits (package rule)"),
    ],
)
def test_reconstructr_sessions_match(boundary: str, rule: str) -> None:
    answers = expected("reconstructr")["recomputed_here"][rule]
    found = records("reconstructr", ["all"], sessions_of(boundary))
    assert whole(found, "sessions").value == answers["sessions"]
    bounce = whole(found, "bounce_rate")
    assert bounce.numerator == answers["single_event_sessions"]
    assert bounce.denominator == answers["sessions"]
    percent = answers["bounce_rate_pct (single-event sessions / sessions)"]
    assert round(100 * (bounce.value or 0), 2) == percent
    assert (
        round(whole(found, "pages_per_session").value or 0, 4) == answers["page_views_per_session"]
    )
    duration = whole(found, "session_duration").value or 0
    assert round(duration, 2) == answers["mean_session_duration_s (single-event = 0)"]


def test_reconstructr_people_match() -> None:
    answers = expected("reconstructr")["recomputed_here"]
    found = records("reconstructr", ["all", "day", "week", "month"])
    assert whole(found, "unique_visitors").value == answers["unique_visitors"]
    assert whole(found, "page_views").value == answers["page_views"]
    assert by_start(found, "daily_active_users", "day") == answers["dau"]
    weeks = {
        _iso_week(start): value
        for start, value in by_start(found, "unique_visitors", "week").items()
    }
    assert weeks == answers["wau_iso"]
    months = by_start(found, "unique_visitors", "month")
    assert {start[:7]: value for start, value in months.items()} == answers["mau_calendar"]


def _iso_week(start: str) -> str:
    year, week, _ = date.fromisoformat(start).isocalendar()
    return f"{year}-W{week:02d}"


@pytest.mark.parametrize("source", ["auto", "id", "gap"])
def test_retentioneering_sessions_are_the_same_by_id_and_by_gap(source: str) -> None:
    case = expected("retentioneering")
    answers, printed = case["recomputed_here"], case["printed_by_its_notebooks"]
    session = msgspec.convert({"source": source}, SessionSettings)
    found = records("retentioneering", ["all"], Settings(dimensions=(), session=session))
    assert whole(found, "sessions").value == printed["sessions"]
    assert whole(found, "sessions").value == printed["sessions_after_30min_split"]
    assert (
        round(whole(found, "pages_per_session").value or 0, 4) == answers["page_views_per_session"]
    )
    duration = whole(found, "session_duration").value or 0
    assert round(duration, 2) == answers["mean_session_duration_s"]


def test_retentioneering_people_match() -> None:
    case = expected("retentioneering")
    answers = case["recomputed_here"]
    found = records("retentioneering", ["all", "day", "month"])
    months = by_start(found, "unique_visitors", "month")
    assert {start[:7]: value for start, value in months.items()} == answers["mau_calendar"]
    days = by_start(found, "daily_active_users", "day")
    most, day = answers["max_dau"]
    assert max(value or 0 for value in days.values()) == most
    assert days[day] == most
    assert whole(found, "unique_visitors").value == case["printed_by_its_notebooks"]["users"]
    assert whole(found, "page_views").value == answers["page_views"]


def test_snowplow_dbtlabs_matches() -> None:
    answers = expected("snowplow-dbtlabs")["derived"]
    settings = Settings(dimensions=(), identity="visitor")
    found = records("snowplow-dbtlabs", ["all"], settings)
    assert whole(found, "page_views").value == answers["page_views"]
    assert whole(found, "sessions").value == answers["sessions"]
    assert whole(found, "pages_per_session").value == answers["page_views_per_session"]
    assert whole(found, "unique_visitors").value == answers["visitors"]
    bounce = whole(found, "bounce_rate")
    assert (bounce.numerator, bounce.denominator) == (
        answers["bounced_sessions"],
        answers["sessions"],
    )
    assert 100 * (bounce.value or 0) == pytest.approx(answers["bounce_rate_pct"])


def test_posthog_weekly_actives_match() -> None:
    answers = expected("posthog/active-users-wau-rolling")
    settings = Settings(dimensions=(), timezone=answers["timezone"])
    wanted = answers["wau_rolling_7_calendar_days_ending_on_day"]
    kinds: list[WindowKind] = ["day", "week", "trailing_7d"]
    found = records("posthog/active-users-wau-rolling", kinds, settings, max(wanted))
    rolling = {
        # A window that ends with a day ends where the next one begins.
        _day_before(record.window.end or ""): record.value
        for record in found["weekly_active_users", "trailing_7d"]
    }
    assert {day: rolling.get(day) for day in wanted} == wanted
    assert {day: rolling.get(day) for day in answers["wau_as_of"]} == answers["wau_as_of"]
    assert by_start(found, "daily_active_users", "day") == answers["derived_dau"]


def test_posthog_weekly_actives_match_hour_by_hour() -> None:
    answers = expected("posthog/active-users-wau-rolling")["wau_rolling_168h_by_hour"]
    active = msgspec.convert({"rolling_hours": True}, ActiveSettings)
    found = records(
        "posthog/active-users-wau-rolling",
        ["trailing_168h"],
        Settings(dimensions=(), active=active),
    )
    hours = {
        # Start of the last hour of the window.
        _hour_before(record.window.end or ""): record.value
        for record in found["rolling_active_users", "trailing_168h"]
    }
    assert {hour: hours.get(hour) for hour in answers} == answers


def test_posthog_calendar_weeks_begin_on_sunday() -> None:
    answers = expected("posthog/active-users-wau-rolling")
    settings = Settings(dimensions=(), timezone=answers["timezone"], week_start="sunday")
    found = records("posthog/active-users-wau-rolling", ["week"], settings)
    weeks = by_start(found, "unique_visitors", "week")
    assert weeks == answers["wau_by_calendar_week_sunday_start"]


def _hour_before(end: str) -> str:
    return f"{datetime.fromisoformat(end) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"


def _day_before(end: str) -> str:
    return (date.fromisoformat(end[:10]) - timedelta(days=1)).isoformat()
