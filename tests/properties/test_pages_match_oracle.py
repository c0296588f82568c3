"""Pages, landings, exits, time on page and scroll depth match the oracle for any order of events."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.counters import page_name
from stream.counters.page_name import PageNames
from stream.metrics.themes import pages
from stream.sessions.counts import SessionCounts
from stream.sessions.page_path import PagePath
from stream.settings.application import (
    BounceSettings,
    CtrSettings,
    ExitSettings,
    PageSettings,
    Settings,
    TimeOnPageSettings,
)
from tests.properties.checking import DAY_KINDS, Logs, wrong_numbers
from tests.properties.engine import (
    EVERYONE,
    Action,
    LogRecord,
    run,
)
from tests.properties.inputs.traffic import logs_of, moments, schedules, traffic

MINUTE_MS = 60_000
BASE_MS = 1_709_553_600_000
HORIZON_MS = 86_700_000
KINDS = ("hour", *DAY_KINDS)
METRICS = {
    metric.name
    for metric in (
        *pages.LANDINGS,
        *pages.scrolling(Settings()),
        pages.time_on_page(Settings()),
        pages.exit_rate(Settings()),
    )
} | {
    "engagement_rate",
    "bounce_rate",
    "sessions",
    "content_click_through_rate",
    "click_through_rate",
}


def wrong(
    logs: Logs, config: Settings, schedule: Sequence[Action], cached: int = EVERYONE
) -> list[str]:
    """Return the differences between the engine's page numbers and the oracle's."""
    workers = run(logs, config, schedule, people_cached=cached)
    return wrong_numbers(workers, logs, config, KINDS, METRICS)


@settings(max_examples=15)
@given(data=st.data())
def test_pages_match_the_oracle_for_all_settings(data: st.DataObject) -> None:
    def one(*choices: Any) -> Any:
        return data.draw(st.sampled_from(choices))

    zone, base_ms = data.draw(moments)
    config = Settings(
        timezone=zone,
        dimensions=("country",),
        bounce=BounceSettings(mode=one("classic_interaction", "ga4", "posthog")),
        pages=PageSettings(
            hosts=one(False, True), query_keep=one((), ("p",)), hash_routes=one(True, False)
        ),
        time_on_page=TimeOnPageSettings(
            mode=one("engaged", "next_pageview"), heartbeat_seconds=one(0, 10)
        ),
        exit=ExitSettings(denominator=one("page_views", "sessions")),
        ctr=CtrSettings(
            match_impression=one(False, True), attribution_window_seconds=one(60, 1800)
        ),
    )
    sent = data.draw(traffic(base_ms, delay_ms=one(0, HORIZON_MS)))
    logs = logs_of(sent, one(1, 2, 4))
    assert wrong(logs, config, data.draw(schedules), one(2, EVERYONE)) == []


def test_a_cut_page_counts_in_the_segments_of_its_view() -> None:
    event = {"type": "page_view", "event_id": "e", "visitor_id": "v", "event_time": BASE_MS}
    event |= {"page_url": "/" + "x" * 300, "context": {"country": "DE"}}
    log = [LogRecord(0, BASE_MS, msgspec.json.encode(event))]
    assert wrong([{"t": log}], Settings(dimensions=("country",)), []) == []


#: (minute, arrival in minutes, fields): a late view joins two sessions; ties, and a late first
#: page.
SCENARIO: list[tuple[int, int, dict[str, Any]]] = [
    (60, 60, {"page_url": "https://one.example/c?q=1"}),
    (61, 61, {"type": "heartbeat", "page_url": "/c", "scroll_depth": 30}),
    (62, 62, {"type": "heartbeat", "page_url": "/a", "engaged_ms": 1_000, "scroll_depth": 90}),
    (61, 62, {"page_url": "/d"}),
    (10, 63, {"page_url": "/b"}),
    (10, 63, {"page_url": "/a"}),
    (11, 63, {"type": "heartbeat", "page_url": "/a", "engaged_ms": 9_000, "scroll_depth": 60}),
    (5, 64, {"page_url": "/late/"}),
    (6, 64, {"page_url": "app://late"}),
    (7, 64, {"page_url": "/%61"}),
    (8, 64, {"page_url": "https://u:pw@one.example/#/late"}),
    (120, 120, {"page_url": "/alone"}),
    (121, 121, {"type": "heartbeat", "page_url": "/alone", "engaged_ms": 5_000}),
    (200, 200, {"page_url": "/last"}),
    (200, 200, {"page_url": "/z"}),
    (35, 201, {"page_url": "/b"}),
    (240, 240, {"type": "impression", "content_id": "c"}),
]
SCHEDULE: list[Action] = [
    ("read", 0, 8), ("close", 0, 0), ("checkpoint", 0, 0), ("crash", 0, 0), ("read", 0, 4),
    ("close", 0, 0), ("checkpoint", 0, 0), ("crash", 0, 0), ("read", 0, 1), ("checkpoint", 0, 0), ("crash", 0, 0),
]  # fmt: skip


def scenario_is_wrong() -> list[str]:
    """Return the differences for the scenario above, with the patched engine."""
    log = []
    for number, (minute, arrival, fields) in enumerate(SCENARIO):
        event = {"type": "page_view", "event_id": f"e{number}", "visitor_id": "v"} | fields
        event["event_time"] = BASE_MS + minute * MINUTE_MS
        arrived_ms = BASE_MS + arrival * MINUTE_MS
        log.append(LogRecord(number, arrived_ms, msgspec.json.encode(event)))
    return wrong(
        [{"t": log}], Settings(dimensions=(), pages=PageSettings(hosts=True)), SCHEDULE, cached=2
    )


def _last_come_first(self: PagePath, page: int, time_ms: int, rank: int) -> None:
    _view(self, page, time_ms, -next(_arrivals))


def _only_later(self: PagePath, page: int, time_ms: int, rank: int) -> None:
    if time_ms > self.exit_ms:
        _view(self, page, time_ms, rank)


def _join_without_looks(self: PagePath, other: PagePath) -> None:
    other.looks = {}
    _join(self, other)


def _join_without_second(self: PagePath, other: PagePath) -> None:
    second = self.second_ms
    _join(self, other)
    self.second_ms = second


def _look_at_the_newest(self: PagePath, page: int, engaged_ms: int, scroll: float | None) -> None:
    _look(self, page, 0, scroll)
    self.looks[page][0] = engaged_ms


def _pack_without_exit(self: PagePath, packed: list[Any], views: int, start: int, end: int) -> None:
    first = len(packed)
    _pack(self, packed, views, start, end)
    if views > 1:
        packed[first + 3] = packed[first]


def _add_once(self: SessionCounts, session: Any, sign: int) -> None:
    if sign > 0:
        _add(self, session, sign)


_arrivals = count()


def _without_screen(self: PageNames, url: str) -> str:
    return _whole(self, "/" if url.startswith("app:") else url)


_whole = PageNames.whole
_view, _join, _look, _pack = PagePath.view, PagePath.join, PagePath.look, PagePath.pack_into
_add = SessionCounts.add
MUTANTS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "at one instant the last arrival is first": (PagePath, "view", _last_come_first),
    "late views change nothing": (PagePath, "view", _only_later),
    "a merge forgets the readings": (PagePath, "join", _join_without_looks),
    "a merge forgets the second view": (PagePath, "join", _join_without_second),
    "only the newest heartbeat counts": (PagePath, "look", _look_at_the_newest),
    "a stored session forgets its exit": (PagePath, "pack_into", _pack_without_exit),
    "reopening subtracts nothing": (SessionCounts, "add", _add_once),
    "queries count as pages": (PageNames, "whole", lambda self, url: url),
    "a screen of an app is a path": (PageNames, "whole", _without_screen),
    "an escaped letter is another page": (page_name, "_decoded", lambda text, kept: text),
    "a route is no page": (PageNames, "_route", lambda self, fragment: ("", "")),
    "a user name is part of the host": (page_name, "_host", lambda authority, scheme: authority),
}


def test_the_unchanged_engine_passes() -> None:
    assert scenario_is_wrong() == []


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_engine_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, broken = MUTANTS[mutant]
    monkeypatch.setattr(where, name, broken)
    assert scenario_is_wrong() != []
