"""Caps: whatever crashes and however batches are cut, the same sites and values count by name, the rest as `other`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert
from msgspec.structs import replace

from stream.counters.measures import EVENTS, Grain
from stream.counters.sites import OTHER
from stream.settings.application import Settings
from tests.properties.engine import Action, LogRecord, run

TOPIC = "page-views"
BEGAN_MS = 1_740_787_200_000
DAY = (Grain.ALL, 0)

Segment = tuple[str, str, str]


def _log(events: list[tuple[int, int, int]]) -> list[LogRecord]:
    """Return page views of (site, country, person)."""
    records = []
    for n, (site, country, person) in enumerate(events):
        event: dict[str, Any] = {
            "type": "page_view", "event_id": f"e{n}", "event_time": BEGAN_MS + 1000 * n,
            "site": f"s{site}", "user_id": f"u{person}", "page_url": f"https://x/{n}",
            "context": {"country": f"c{country}", "device": f"d{person}"},
        }  # fmt: skip
        records.append(LogRecord(n, event["event_time"], json.dumps(event).encode()))
    return records


def _settings(**limits: Any) -> Settings:
    return convert(
        {
            "topics": {"page_views": TOPIC} | dict.fromkeys(
                ("clicks", "sessions", "subscriptions", "orders", "feedback", "social"), ""
            ),
            "dimension_values_max": 3,
            "dimensions": ["country", "device"],
            "pages": {"values_max": 2},
            "sites": {"s9": {}},
            "limits": limits,
        },
        Settings,
    )  # fmt: skip


def _counted(
    log: list[LogRecord], settings: Settings, schedule: Sequence[Action] = ()
) -> Mapping[Any, Any]:
    [worker] = run([{TOPIC: log}], settings, schedule)
    return dict(worker.parts())


def _events(parts: Mapping[Any, Any]) -> dict[Segment, int]:
    return {segment: n for (measure, segment), n in parts[DAY].items() if measure == EVENTS}


EVENTS_OF_MANY = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=40
)
SCHEDULE = st.lists(
    st.tuples(st.sampled_from(["read", "checkpoint", "crash", "lost", "close"]), st.just(0), st.integers(1, 9)),
    max_size=25,
)  # fmt: skip


@given(
    EVENTS_OF_MANY, SCHEDULE, st.sampled_from([{"sites_max": 3}, {"sites_allowed": ["s1", "s2"]}])
)
def test_sites_beyond_the_cap_count_as_other_the_same_in_every_replay(
    events: list[tuple[int, int, int]], schedule: list[Action], limits: dict[str, Any]
) -> None:
    log, settings = _log(events), _settings(**limits)
    whole = _counted(log, settings)
    assert _counted(log, settings, schedule) == whole
    sites: dict[str, int] = {}
    for (site, dimension, _), count in _events(whole).items():
        if not dimension:
            sites[site] = count
    expected: dict[str, int] = {}
    known = {"s9", *limits.get("sites_allowed", ())}
    for site, _, _ in events:
        name = f"s{site}"
        if "sites_max" in limits and name not in known and len(known) < 1 + limits["sites_max"]:
            known.add(name)
        counted = name if name in known else OTHER
        expected[counted] = expected.get(counted, 0) + 1
    assert sites == expected


@given(EVENTS_OF_MANY, SCHEDULE)
def test_values_and_combinations_beyond_the_caps_count_as_other_the_same_in_every_replay(
    events: list[tuple[int, int, int]], schedule: list[Action]
) -> None:
    settings = _settings(sites_max=3)
    # Below what the settings allow, so that few events reach the caps.
    limits = replace(settings.limits, segments_max=9, segment_sets_max=5)
    log, tight = _log(events * 3), replace(settings, limits=limits)
    whole = _counted(log, tight)
    assert _counted(log, tight, schedule) == whole
    counted = _events(whole)
    named = [segment for segment in counted if segment[1] and segment[2] != OTHER]
    assert len(named) <= 9
    for site in {site for site, _, _ in counted}:
        total = counted[site, "", ""]
        for dimension in ("country", "device"):
            assert total == sum(
                n for (s, d, _), n in counted.items() if (s, d) == (site, dimension)
            )
