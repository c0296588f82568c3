"""Events without a session id of people who have sessions by id match the oracle, in any order."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.sessions import index
from stream.sessions.session import Session
from stream.sessions.splitting import Fragments
from tests.properties.engine import EVERYONE, Action
from tests.properties.inputs.traffic import MINUTE_MS, Sent, logs_of, moments, schedules
from tests.properties.scenario import session_differences
from tests.properties.test_engine_matches_oracle import HORIZON_MS, LATENESS_MS, config_for
from tests.properties.test_session_settings_match_oracle import compared

_kinds = st.sampled_from(
    [
        {"type": "page_view", "page_url": "/a"},
        {"type": "page_view", "page_url": "/b"},
        {"type": "heartbeat", "page_url": "/a", "engaged_ms": 5_000},
        {"type": "custom", "name": "n"},
        {"type": "order", "order_id": "o"},
        {"type": "add_to_cart", "cart_id": "c"},
    ]
)


def _instants(quarters: int) -> st.SearchStrategy[int]:
    """Draw instants within some quarters of an hour, often at their borders."""
    return st.builds(
        lambda quarter, near: quarter * 15 * MINUTE_MS + near,
        st.integers(0, quarters),
        st.sampled_from([0, 0, 1, -1, 60_001]) | st.integers(0, 15 * MINUTE_MS),
    )


@st.composite
def mixed(draw: st.DrawFn, base_ms: int, delay_ms: int, quarters: int = 24) -> list[Sent]:
    """Draw events of two people, with a session id and without, at instants close to each other."""
    sent = []
    for number in range(draw(st.integers(2, 25))):
        event = dict(draw(_kinds)) | {"event_id": f"e{number}"}
        event["event_time"] = base_ms + draw(_instants(quarters))
        event["visitor_id"] = draw(st.sampled_from(["v", "v", "w"]))
        session_id = draw(st.sampled_from([None, None, "s1", "s2", "s3"]))
        if session_id is not None:
            event["session_id"] = session_id
        names = {
            "country": draw(st.sampled_from(["DE", "FR"])),
            "platform": draw(st.sampled_from(["", "", "ios"])),
            "campaign": draw(st.sampled_from(["", "", "a", "b"])),
        }
        event["context"] = {name: value for name, value in names.items() if value}
        topic = draw(st.sampled_from(["page-views", "clicks"]))
        sent.append(Sent(event, "one", topic, draw(st.integers(0, delay_ms)) if delay_ms else 0))
    return sent


@settings(max_examples=30)
@given(data=st.data())
def test_they_belong_to_the_session_that_is_open(data: st.DataObject) -> None:
    def one(*choices: Any) -> Any:
        return data.draw(st.sampled_from(choices))

    zone, base_ms = data.draw(moments)
    config = config_for(
        zone,
        session={
            "boundary": one("gt", "gte"),
            "source": one("auto", "auto", "auto", "id", "gap"),
            "max_duration_hours": one(1, 2, 24, 24),
            "split_at_midnight": one(False, False, True),
            "timeout_by_platform": one({}, {"ios": 300}, {"ios": 3_000}),
            "split_on_campaign_change": one(False, False, True),
            "assign": one("start", "end"),
        },
        duration={"heartbeats": one("count", "ignore")},
        new={"basis": one("person", "session")},
        time_on_page={"mode": one("engaged", "next_pageview")},
    )
    sent = data.draw(mixed(base_ms, one(0, LATENESS_MS, HORIZON_MS)))
    logs = logs_of(sent, 1)
    wrong, _ = compared(logs, config, data.draw(schedules), one(2, EVERYONE))
    assert not wrong, "\n".join(wrong[:8])


#: (minute, arrival in minutes, fields)
SCENARIO: list[tuple[int, int, dict[str, Any]]] = [
    (0, 0, {"session_id": "s1"}),
    (5, 5, {"type": "order", "order_id": "o1"}),
    (10, 10, {"type": "custom", "name": "n"}),
    (20, 20, {"session_id": "s2"}),
    (25, 25, {"type": "order", "order_id": "o2"}),
    (26, 26, {"type": "custom", "name": "n"}),
    (60, 60, {"session_id": "s1", "type": "heartbeat", "page_url": "/a"}),
    (200, 200, {}),
    (228, 228, {}),
    (229, 229, {"type": "custom", "name": "n"}),
    (300, 300, {"visitor_id": "w"}),
    (195, 400, {"session_id": "s3"}),  # Takes over a gap session that has closed.
    (500, 500, {"session_id": "s4"}),
    (510, 510, {}),
    (600, 600, {"visitor_id": "w"}),
    (505, 700, {"session_id": "s5"}),  # Takes over from another session by id.
    (533, 701, {"type": "order", "order_id": "o3"}),  # Extends a session that has closed.
]
SCHEDULE: list[Action] = [
    ("read", 0, 11), ("close", 0, 0), ("read", 0, 4), ("close", 0, 0), ("checkpoint", 0, 0),
    ("crash", 0, 0),
]  # fmt: skip


def scenario_is_wrong() -> list[str]:
    """Return the differences for the scenario above, with the patched engine."""
    return session_differences(SCENARIO, SCHEDULE, people_cached=2)


def _reach_alone(
    fragments: Fragments, sessions: Sequence[Session], found: Any, sid: Any, *at: Any
) -> list[list[Session]]:
    if sid is not None:
        return [[session] for session in found]
    return fragments.touched([run.fragments for run in fragments.runs(sessions, ())], *at)


def _with_the_run(self: Any, *of: Any) -> Session:
    return _find(self, *of[:5], False)


def _the_first(self: Fragments, by_id: Sequence[Session], fragment: Session) -> Session | None:
    return _owner(self, sorted(by_id, key=lambda one: -one.start)[-1:], fragment)


def _without_traits(self: Session) -> dict[str, Any]:
    return {name: kept for name, kept in _rare(self).items() if name != "t"}


_find, _owner, _rare = index.SessionIndex.find, Fragments._owner, Session._rare
MUTANTS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "no session takes over another": (index, "affected", _reach_alone),
    "nothing belongs to a session by id": (Fragments, "_owner", lambda *of: None),
    "the first session by id is the one": (Fragments, "_owner", _the_first),
    "an order goes with its run": (index.SessionIndex, "find", _with_the_run),
    "what was counted together is not stored": (Session, "_rare", _without_traits),
}


def test_the_unchanged_engine_passes() -> None:
    assert scenario_is_wrong() == []


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_engine_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, broken = MUTANTS[mutant]
    monkeypatch.setattr(where, name, broken)
    assert scenario_is_wrong() != []
