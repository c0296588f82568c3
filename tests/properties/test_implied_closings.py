"""A closed session whose person is not stored again: a reader must tell that it has closed."""

from collections.abc import Callable
from typing import Any

import pytest

from stream.counters.calendar import HOUR_MS
from stream.engine import state
from stream.sessions.expiry import SessionExpiry
from stream.sessions.open_sessions import CLOSED, IMPLIED, OpenSessions
from tests.properties.engine import Action
from tests.properties.scenario import session_differences

#: (minute, arrival in minutes, fields)
SCENARIO: list[tuple[int, int, dict[str, Any]]] = [
    (0, 0, {}),
    (0, 0, {"visitor_id": "w"}),
    (500, 500, {"visitor_id": "x"}),  # Closes the sessions of both.
    (10, 501, {}),  # Reopens the first of them, read back from the store.
    (20, 502, {"visitor_id": "y"}),  # Opens one that is due already.
    (900, 900, {"visitor_id": "x"}),
    (30, 901, {"visitor_id": "w"}),
    (1_300, 1_300, {"visitor_id": "z"}),
]
#: After a crash the first records are read again, to rebuild the seen ids.
SCHEDULE: list[Action] = [
    ("read", 0, 2), ("close", 0, 0), ("checkpoint", 0, 0),
    ("read", 0, 1), ("close", 0, 0), ("checkpoint", 0, 0), ("crash", 0, 0),
    ("read", 0, 3), ("read", 0, 2), ("checkpoint", 0, 0), ("crash", 0, 0),
    ("read", 0, 5), ("read", 0, 1), ("close", 0, 0), ("lost", 0, 0),
    ("read", 0, 6), ("read", 0, 1), ("close", 0, 0), ("checkpoint", 0, 0), ("crash", 0, 0),
]  # fmt: skip


def scenario_is_wrong() -> list[str]:
    """Return the differences for the scenario above, with the patched engine."""
    return session_differences(SCENARIO, SCHEDULE, people_cached=1)


def _too_far(self: SessionExpiry, watermark_ms: int) -> list[str]:
    found = _move_on(self, watermark_ms)
    self.closed_to_ms += HOUR_MS
    return found


def _back(self: SessionExpiry, watermark_ms: int) -> list[str]:
    found = _move_on(self, watermark_ms)
    self.closed_to_ms = 0
    return found


_move_on, _close = SessionExpiry.move_on, OpenSessions.close
MUTANTS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "a read person keeps the session open": (OpenSessions, "settle", lambda *of: None),
    "a late session is not marked": (OpenSessions, "_note_overdue", lambda *of: None),
    "the mark goes beyond open sessions": (SessionExpiry, "move_on", _too_far),
    "the mark goes back": (SessionExpiry, "move_on", _back),
    "a closing counts nothing": (OpenSessions, "_count", lambda *of: None),
    "a person is restored as stored": (
        state.ShardState, "restored", lambda _, key, raw: state.unpack(key, raw),
    ),
}  # fmt: skip


def test_the_unchanged_engine_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = []

    def noted(self: OpenSessions, *of: Any) -> int:
        outcomes.append(_close(self, *of))
        return outcomes[-1]

    monkeypatch.setattr(OpenSessions, "close", noted)
    assert scenario_is_wrong() == []
    # The scenario has closings of both kinds.
    assert {CLOSED, IMPLIED} <= set(outcomes)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_engine_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, broken = MUTANTS[mutant]
    monkeypatch.setattr(where, name, broken)
    assert scenario_is_wrong() != []
