"""Limits, length and numbers of sessions match the oracle for every setting and any order."""

from ast import literal_eval
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.configure.check_service import broken_rules
from stream.metrics.catalogue import catalogue
from stream.settings.application import Settings
from tests.properties.checking import Logs, answered, wrong_numbers
from tests.properties.compare import Published, published
from tests.properties.engine import EVERYONE, Action, final_records, run
from tests.properties.inputs.traffic import Sent, logs_of, moments, schedules, traffic
from tests.properties.test_engine_matches_oracle import DAY_KINDS, LATENESS_MS, config_for

_OF_PAGES = (
    "scroll_depth", "scroll_reached_", "time_on_page", "landing_", "exit_rate", "engagement_rate",
)  # fmt: skip


@settings(max_examples=16)
@given(data=st.data())
def test_the_settings_of_sessions_match_the_oracle(data: st.DataObject) -> None:
    def one(*choices: Any) -> Any:
        return data.draw(st.sampled_from(choices))

    zone, base_ms = data.draw(moments)
    by_session = one(False, True)
    tables = {
        "session": {
            "assign": one("start", "end"),
            "id_scope": "visitor" if by_session else one("visitor", "site"),
            "id_max_hours": one(0, 25),
            "source": one("auto", "id"),
            "split_at_midnight": one(False, False, True),
            "timeout_by_platform": one({}, {"ios": 300}, {"ios": 2_400, "web": 60}),
            "include_open": one(False, False, True),
            "split_on_campaign_change": one(False, False, True),
        },
        "duration": {
            "basis": one("elapsed", "engaged"),
            "heartbeats": one("count", "ignore"),
            "zero_sessions": one("include", "exclude"),
            "cap_seconds": one(0, 0, 1_000),
            "whole_seconds": one(False, True),
        },
        "pages": {"count": one("page_views", "unique_pages", "page_view_ids", "actions")},
        "time_on_page": {
            "mode": one("engaged", "next_pageview", "pings"),
            "heartbeat_seconds": one(10, 15, 3_600),
            "min_visit_seconds": one(0, 5),
            "last_page": one("exclude", "zero", "until_last_event"),
        },
        "bounce": {
            "mode": one("classic_interaction", "single_pageview", "ga4", "posthog"),
            "engaged_goals": one(False, True),
        },
        "new": {"basis": "session" if by_session else "person"},
        "scroll": {
            "thresholds": one((25, 50, 75, 90), (1, 33), ()),
            "basis": one("session_page", "page_view"),
        },
    }
    config = config_for(zone, **tables)
    assert broken_rules(config) == []
    sent = data.draw(traffic(base_ms, days=one((0,), (0, 1, 2, 3)), delay_ms=one(0, LATENESS_MS)))
    # A site-wide id belongs to one partition and, if `id_max_hours` ends it, to one topic.
    logs = logs_of([s._replace(topic="clicks") if s.topic == "page-views" else s for s in sent], 1)
    wrong, _ = compared(logs, config, data.draw(schedules), one(2, EVERYONE))
    assert not wrong, "\n".join(wrong[:8])


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("session", {"assign": "end"}),
        ("session", {"id_scope": "site"}),
        ("session", {"id_max_hours": 25}),
        ("session", {"timeout_by_platform": {"ios": 300}}),
        ("session", {"split_on_campaign_change": True}),
        ("duration", {"basis": "engaged"}),
        ("duration", {"heartbeats": "ignore"}),
        ("duration", {"zero_sessions": "exclude"}),
        ("duration", {"cap_seconds": 60}),
        ("duration", {"whole_seconds": True}),
        ("pages", {"count": "unique_pages"}),
        ("pages", {"count": "page_view_ids"}),
        ("pages", {"count": "actions"}),
        ("time_on_page", {"mode": "pings"}),
        ("time_on_page", {"mode": "pings", "min_visit_seconds": 1}),
        ("time_on_page", {"mode": "next_pageview", "last_page": "zero"}),
        ("time_on_page", {"mode": "next_pageview", "last_page": "until_last_event"}),
        ("scroll", {"thresholds": (1, 33)}),
        ("scroll", {"basis": "page_view"}),
        ("new", {"basis": "session"}),
        (
            "bounce",
            {"engaged_min_page_views": 99, "engaged_min_seconds": 9_999, "engaged_goals": True},
        ),
    ],
    ids=lambda value: str(value),
)
def test_each_setting_changes_numbers_to_those_of_the_oracle(
    name: str, choices: dict[str, Any]
) -> None:
    plain = dict([*choices.items()][:-1])  # The last choice is the one that must change a number.
    _, without = _of_600_events(repr({name: plain} if plain else {}))
    wrong, found = _of_600_events(repr({name: choices}))
    assert not wrong, "\n".join(wrong[:8])
    assert found != without


@cache
def _of_600_events(tables: str) -> tuple[list[str], Published]:
    """Return the result of `compared` for these tables; cached, since many settings share the plain run."""
    logs = logs_of([_seeded(Random(7), number) for number in range(600)], 1)
    return compared(logs, config_for("UTC", **literal_eval(tables)))


def compared(
    logs: Logs, config: Settings, schedule: Sequence[Action] = (), cached: int = EVERYONE
) -> tuple[list[str], Published]:
    """Return the differences between engine and oracle, and the engine's numbers."""
    workers = run(logs, config, schedule, people_cached=cached)
    kinds = ("hour", *DAY_KINDS)
    names = [metric.name for metric in catalogue(config)]
    metrics = [*answered(config), *(name for name in names if name.startswith(_OF_PAGES))]
    found = published(final_records(workers, config, kinds, metrics))
    return wrong_numbers(workers, logs, config, kinds, metrics), found


def _seeded(chance: Random, number: int) -> Sent:
    """Return an event within three days, on the topic of clicks; ordered by time except for ties."""
    chance.seed(number)
    kind = chance.choice(["page_view", "page_view", "page_view", "heartbeat", "click", "order"])
    event: dict[str, object] = {
        "type": kind,
        "event_id": f"e{number}",
        "event_time": 1_710_000_000_000 + number * 450_000 + chance.randrange(450_000),
        "visitor_id": f"visitor-{chance.randrange(4)}",
    }
    if chance.random() < 0.5:
        names = {
            "platform": chance.choice(["ios", "web"]),
            "campaign": chance.choice(["a", "b", ""]),
        }
        event["context"] = names
    if chance.random() < 0.5 and event["visitor_id"] != "visitor-3":
        event["session_id"] = f"s{chance.randrange(3)}"
    if kind == "order":
        event["order_id"] = f"o{number}"
    if kind in ("page_view", "heartbeat"):
        event["page_url"] = f"/{chance.randrange(3)}"
        event["page_view_id"] = f"v{chance.randrange(40)}"
    if kind == "heartbeat":
        event["scroll_depth"] = chance.randrange(100)
    return Sent(event, "account", "clicks", 0)
