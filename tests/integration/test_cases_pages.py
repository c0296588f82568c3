"""Real inputs with known answers about pages, visits and the time they take, as `engage report` runs them."""

import gzip
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from schemas.outputs import MetricRecord
from stream.knobs import DedupeSettings, TimeOnPageSettings
from stream.report import Report
from stream.settings import Settings
from tests.integration.test_cases_report import CASES, NOW_MS, expected

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"no cases at {CASES}; name their directory in ENGAGE_CASES"
)
DAY_S = 86_400


def lines(case: str) -> list[bytes]:
    """The events of a case, in order of arrival."""
    [path] = (CASES / case).glob("events.jsonl*")
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).splitlines()


def report_of(events: Iterable[bytes], settings: Settings) -> Report:
    bad: list[object] = []
    report = Report(settings, NOW_MS, bad.append)
    report.read("case", events)
    assert bad == []
    return report


def table(report: Report, metric: str, kind: Any) -> dict[str, MetricRecord]:
    """Page → record of its newest window; "" is the whole site."""
    return {
        record.dimensions.get("page", ""): record for record in report.records({metric}, {kind})
    }


def test_retentioneering_pages_are_seen_as_often_as_its_notebooks_print() -> None:
    printed = expected("retentioneering")["printed_by_its_notebooks"]["event_counts"]
    report = report_of(lines("retentioneering"), Settings(dimensions=()))
    found = {
        page.removeprefix("/") or "home": record.value
        for page, record in table(report, "page_views_per_page", "all").items()
    }
    assert len(found) == 10
    assert found == {page: printed[page] for page in found}
    right = expected("retentioneering")["recomputed_here"]["page_views"]
    assert sum(value or 0 for value in found.values()) == right


def test_dbtlabs_pages_and_engaged_time() -> None:
    case = expected("snowplow-dbtlabs")
    views, sessions = case["page_views"].values(), case["sessions"].values()
    # "30 s per heartbeat, summed per page view"
    settings = Settings(
        dimensions=(),
        identity="visitor",
        time_on_page=TimeOnPageSettings(heartbeat_seconds=30),
    )
    report = report_of(lines("snowplow-dbtlabs"), settings)
    page = "vandelay.com/"
    time = table(report, "time_on_page", "day")
    for name in ("", page):
        assert time[name].numerator == sum(view["engaged_s"] for view in views)
        assert time[name].denominator == sum(bool(session["engaged_s"]) for session in sessions)
    landings = table(report, "landing_sessions", "day")
    assert {name: record.value for name, record in landings.items()} == {
        entry: sum(session["entry_page"] == entry for session in sessions)
        for entry in {session["entry_page"] for session in sessions}
    }
    assert table(report, "exit_rate", "day")[page].numerator == case["derived"]["sessions"]


def _of_one_session(session_id: str) -> Report:
    # An id comes back after two days: its window must be as long.
    settings = Settings(dimensions=(), dedupe=DedupeSettings(window_seconds=3 * DAY_S))
    theirs = [line for line in lines("snowplow-web")
              if json.loads(line)["session_id"] == session_id]  # fmt: skip
    return report_of(theirs, settings)


def _same_rules() -> list[str]:
    """Sessions for which its rules and ours are the same.

    Ours: an id that is silent for a day begins another session, and page views are counted as they
    are sent. Its: three days, page views by their ids, also when only heartbeats carry them.
    """
    theirs: dict[str, list[dict[str, Any]]] = {}
    for line in lines("snowplow-web"):
        event = json.loads(line)
        theirs.setdefault(event["session_id"], []).append(event)
    same = []
    for session_id, events in theirs.items():
        views = {e["event_id"]: e["page_view_id"] for e in events if e["type"] == "page_view"}
        known = {e["page_view_id"] for e in events if e["type"] in ("page_view", "heartbeat")}
        times = [datetime.fromisoformat(e["event_time"]).timestamp() for e in events]
        is_one = max(times) - min(times) < DAY_S
        if set(views.values()) == known and len(views) == len(known) and is_one:
            same.append(session_id)
    return same


def test_snowplow_sessions_have_its_page_views_and_times() -> None:
    right = expected("snowplow-web")["sessions"]
    compared = _same_rules()
    assert len(compared) >= 11
    for name in compared:
        report = _of_one_session(name)
        found = {m: table(report, m, "all")[""] for m in
                 ("sessions", "page_views", "session_duration", "pages_per_session")}  # fmt: skip
        assert found["sessions"].value == 1, name
        assert found["page_views"].value == right[name]["page_views"], name
        assert found["pages_per_session"].value == right[name]["page_views"], name
        # Its seconds are those between two whole ones; ours have the milliseconds.
        assert abs((found["session_duration"].value or 0) - right[name]["absolute_s"]) < 1, name


def test_snowplow_entry_and_exit_pages() -> None:
    right = expected("snowplow-web")["sessions"]
    for name in _same_rules():
        report = _of_one_session(name)
        for metric, key in (("landing_sessions", "entry_page"), ("exit_rate", "exit_page")):
            url = right[name][key]
            path = "/" + url.partition("://")[2].partition("?")[0].partition("/")[2].rstrip("/")
            found = [page for page, record in table(report, metric, "day").items()
                     if record.numerator]  # fmt: skip
            assert found == [path], (name, metric)


def test_snowplow_duplicates_are_dropped_and_counted() -> None:
    ids = [msgspec.json.decode(line)["event_id"] for line in lines("snowplow-web")]
    settings = Settings(dimensions=(), dedupe=DedupeSettings(window_seconds=3 * DAY_S))
    report = report_of(lines("snowplow-web"), settings)
    outcomes = report.shard.outcomes()
    assert outcomes["duplicate"] == len(ids) - len(set(ids)) == 3
    assert outcomes["applied"] + outcomes["late"] == len(set(ids))
