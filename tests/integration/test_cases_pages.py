"""Real inputs with known answers about pages, sessions and time on page, as `engage report` runs them."""

import gzip
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from schemas.outputs import MetricRecord
from stream.report.file_report import Report
from stream.settings.application import DedupeSettings, Settings, TimeOnPageSettings
from tests.integration.test_cases_report import CASES, NOW_MS, expected

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"no cases at {CASES}; name their directory in ENGAGE_CASES"
)
DAY_S = 86_400


def lines(case: str) -> list[bytes]:
    """Return the events of a case, in order of arrival."""
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
    """Return the newest window's record of each page; "" is the whole site."""
    return {
        record.dimensions.get("page", ""): record for record in report.records({metric}, {kind})
    }


def test_retentioneering_page_views_match_its_notebooks() -> None:
    printed = expected("retentioneering")["printed_by_its_notebooks"]["event_counts"]
    report = report_of(lines("retentioneering"), Settings(dimensions=()))
    found = {
        page.removeprefix("/") or "home": record.value
        for page, record in table(report, "page_views_per_page", "all").items()
    }
    assert len(found) == 10
    assert found == {page: printed[page] for page in found}
    page_views = expected("retentioneering")["recomputed_here"]["page_views"]
    assert sum(value or 0 for value in found.values()) == page_views


def test_dbtlabs_pages_and_engaged_time_match() -> None:
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


def test_snowplow_duplicates_are_dropped_and_counted() -> None:
    ids = [msgspec.json.decode(line)["event_id"] for line in lines("snowplow-web")]
    settings = Settings(dimensions=(), dedupe=DedupeSettings(window_seconds=3 * DAY_S))
    report = report_of(lines("snowplow-web"), settings)
    outcomes = report.shard.outcomes()
    assert outcomes["duplicate"] == len(ids) - len(set(ids)) == 3
    assert outcomes["applied"] + outcomes["late"] == len(set(ids))
