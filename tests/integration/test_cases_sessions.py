"""Snowplow's web sessions by Snowplow's rules: session and page-view ids, engaged time, three days."""

import json
from collections.abc import Iterator

import msgspec
import pytest

from schemas.outputs import MetricRecord
from stream.counters.page_name import PageNames
from stream.report.file_report import Report
from stream.settings.application import Settings
from stream.settings.pages import PageSettings
from tests.integration.test_cases_report import CASES, NOW_MS, expected, pytestmark, records, whole

CASE = "snowplow-web"
#: The `rules` of expected.json as settings.
SNOWPLOW = msgspec.convert(
    {
        "dimensions": (),
        "identity": "visitor",
        "session": {"source": "id", "id_scope": "site", "id_max_hours": 72},
        "pages": {"count": "page_view_ids"},
        "time_on_page": {"mode": "pings", "heartbeat_seconds": 10, "min_visit_seconds": 5},
        "duration": {"whole_seconds": True},
        "bounce": {"mode": "single_pageview"},
        # Duplicates are dropped at any distance.
        "dedupe": {"window_seconds": 3 * 86_400},
    },
    Settings,
)
__all__ = ["pytestmark"]


def session_ids() -> list[str]:
    return sorted(expected(CASE)["sessions"]) if CASES.is_dir() else []


def records_of_session(session_id: str) -> Iterator[MetricRecord]:
    """Return the records of the events of a single session."""
    lines = (CASES / CASE / "events.jsonl").read_bytes().splitlines()
    bad: list[object] = []
    report = Report(SNOWPLOW, NOW_MS, bad.append)
    report.read(CASE, [line for line in lines if json.loads(line)["session_id"] == session_id])
    assert bad == []
    return report.records(set(), {"all", "day"})


def test_all_sessions_together_match() -> None:
    case = expected(CASE)
    total, sessions = case["totals_derived"], case["sessions"].values()
    found = records(CASE, ["all", "day"], SNOWPLOW)
    assert whole(found, "sessions").value == total["sessions"] == 18
    pages = whole(found, "pages_per_session")
    assert (pages.numerator, pages.denominator) == (total["page_views"], 18)
    assert whole(found, "unique_visitors").value == total["visitors"]
    bounce = whole(found, "bounce_rate")
    assert bounce.numerator == total["single_page_view_sessions"]
    assert 100 * (bounce.value or 0) == total["bounce_rate_pct (one page view)"]
    engaged = whole(found, "engagement_rate").numerator
    assert engaged == total["engaged_sessions_without_conversion_rule"]
    seconds = whole(found, "session_duration").numerator
    assert seconds == sum(session["absolute_s"] for session in sessions)
    days = found["time_on_page", "day"]
    assert sum(record.numerator or 0 for record in days) == total["engaged_s"]


@pytest.mark.parametrize("session_id", session_ids())
def test_each_session_alone_matches(session_id: str) -> None:
    case = expected(CASE)["sessions"][session_id]
    whole_site: dict[tuple[str, str], list[MetricRecord]] = {}
    by_page: dict[str, dict[str, float]] = {}
    for record in records_of_session(session_id):
        if not record.dimensions:
            whole_site.setdefault((record.metric, record.window.kind), []).append(record)
        elif page := record.dimensions.get("page"):
            by_page.setdefault(record.metric, {})[page] = record.numerator or 0
    assert whole(whole_site, "sessions").value == 1
    assert whole(whole_site, "pages_per_session").value == case["page_views"]
    assert whole(whole_site, "session_duration").value == case["absolute_s"]
    engaged = sum(record.numerator or 0 for record in whole_site["time_on_page", "day"])
    assert engaged == case["engaged_s"]
    if (
        case["events"] > 1 or case["engaged_s"] == 0
    ):  # Otherwise the session consists of a heartbeat.
        assert by_page["landing_sessions"][PageNames(PageSettings()).of(case["entry_page"])] == 1
        assert by_page["exit_rate"][PageNames(PageSettings()).of(case["exit_page"])] == 1
