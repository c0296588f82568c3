"""session_start and session_end bound sessions as the oracle says, for any order of other events."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.sessions import bounds, index, splitting
from stream.sessions.session import Session
from tests.properties.engine import EVERYONE, Action
from tests.properties.inputs.traffic import MINUTE_MS, Sent, logs_of, moments, schedules
from tests.properties.scenario import session_differences
from tests.properties.test_engine_matches_oracle import HORIZON_MS, LATENESS_MS, config_for
from tests.properties.test_events_without_session_id import mixed
from tests.properties.test_session_settings_match_oracle import compared


@st.composite
def bounded(draw: st.DrawFn, base_ms: int, delay_ms: int) -> list[Sent]:
    """Draw events with starts and ends between, each at an instant of its own and in time.

    The others come late and in any order: a start or end that comes after what follows it cuts
    nothing, as the limits say.
    """
    quarters = draw(st.sampled_from([4, 24]))
    sent = draw(mixed(base_ms, delay_ms, quarters))
    for number in range(draw(st.integers(1, 8))):
        event: dict[str, Any] = {
            "type": draw(st.sampled_from(["session_start", "session_end"])),
            "event_id": f"b{number}",
            "event_time": base_ms
            + draw(st.integers(0, 15 * quarters)) * MINUTE_MS
            + 31_000
            + number,
            "visitor_id": draw(st.sampled_from(["v", "v", "w"])),
        }
        session_id = draw(st.sampled_from([None, None, "s1", "s2"]))
        if session_id is not None:
            event["session_id"] = session_id
        if draw(st.booleans()):
            event["context"] = {"platform": "ios"}
        sent.append(Sent(event, "one", "clicks", 0))
    return [one._replace(topic="clicks") for one in sent]


@settings(max_examples=30)
@given(data=st.data())
def test_they_bound_sessions_by_id_and_by_gaps(data: st.DataObject) -> None:
    def one(*choices: Any) -> Any:
        return data.draw(st.sampled_from(choices))

    zone, base_ms = data.draw(moments)
    config = config_for(
        zone,
        session={
            "explicit_ends": one(True, True, True, False),
            "boundary": one("gt", "gte"),
            "source": one("auto", "auto", "id", "gap"),
            "max_duration_hours": one(1, 2, 24, 24),
            "id_max_hours": one(0, 0, 25),
            "split_at_midnight": one(False, False, True),
            "timeout_by_platform": one({}, {"ios": 300}, {"ios": 3_000}),
            "split_on_campaign_change": one(False, False, True),
        },
        duration={"heartbeats": one("count", "ignore")},
        new={"basis": one("person", "session")},
        pages={"count": one("page_views", "page_view_ids")},
        time_on_page={"mode": one("engaged", "next_pageview")},
    )
    sent = data.draw(bounded(base_ms, one(0, LATENESS_MS, HORIZON_MS)))
    wrong, _ = compared(logs_of(sent, 1), config, data.draw(schedules), one(2, EVERYONE))
    assert not wrong, "\n".join(wrong[:8])


#: (minute, arrival in minutes, fields)
SCENARIO: list[tuple[int, int, dict[str, Any]]] = [
    (0, 0, {}),
    (5, 5, {"type": "session_end"}),
    (6, 6, {"type": "session_end"}),  # Sent twice: it is no session by itself.
    (8, 8, {}),
    (10, 10, {"type": "session_start"}),
    (11, 11, {}),
    (12, 12, {"type": "session_end"}),
    (14, 14, {"page_url": "/b"}),
    (70, 70, {"session_id": "s"}),
    (75, 75, {"type": "session_end", "session_id": "s"}),
    (80, 80, {"session_id": "s"}),
    (81, 81, {"type": "custom", "name": "n"}),
    (300, 300, {"visitor_id": "w"}),
    (3, 301, {"page_url": "/late"}),
    (9, 302, {"page_url": "/late"}),
    (73, 303, {"session_id": "s", "page_url": "/late"}),
]
SCHEDULE: list[Action] = [
    ("read", 0, 7), ("checkpoint", 0, 0), ("read", 0, 6), ("close", 0, 0), ("checkpoint", 0, 0),
    ("crash", 0, 0),
]  # fmt: skip


def scenario_is_wrong() -> list[str]:
    """Return the differences for the scenario above, with the patched engine."""
    return session_differences(SCENARIO, SCHEDULE, people_cached=1)


def _only_their_own(found: list[Session], time_ms: int, bound: int) -> list[Session]:
    return [one for one in found if bounds._may_take(one, time_ms, bound)]


def _without_traits(self: Session) -> dict[str, Any]:
    return {name: kept for name, kept in _rare(self).items() if name != "t"}


_rare = Session._rare
MUTANTS: dict[str, tuple[object, str, Callable[..., Any] | int]] = {
    "nothing starts or ends a session": (index, "set_bound", lambda *of: None),
    "a later event reaches back over an end": (index, "on_this_side", lambda found, *of: found),
    "another session's start is no border": (index, "on_this_side", _only_their_own),
    "fragments join over an end": (splitting, "ENDED", 0),
    "fragments join over a start": (splitting, "BEGUN", 0),
    "starts and ends are not stored": (Session, "_rare", _without_traits),
}


def test_the_unchanged_engine_passes() -> None:
    assert scenario_is_wrong() == []


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_engine_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, broken = MUTANTS[mutant]
    monkeypatch.setattr(where, name, broken)
    assert scenario_is_wrong() != []
