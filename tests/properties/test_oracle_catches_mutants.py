"""Broken engines: the comparison must fail for each of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from stream.engine import duplicates, event_rules, shard, state
from stream.history import subscriptions as customers
from stream.people import active_days, activity, lifecycle, placeholder_ids
from stream.publish import due_windows
from stream.sessions import index, open_sessions
from stream.sessions.session import Session
from stream.sessions.session import merge as _merge
from stream.settings.application import Settings
from tests.properties.checking import DAY_KINDS, wrong_numbers
from tests.properties.engine import Action, LogRecord, run

BASE_MS = 1_709_553_600_000
MINUTE_MS = 60_000
DAY = 1440
KINDS = ("hour", "trailing_5m", *DAY_KINDS)
#: (minute, arrival in minutes, fields)
SCENARIO: list[tuple[int, int, dict[str, Any]]] = [
    (0, 0, {"event_id": "first"}),
    (1, 1, {"event_id": "first", "site": "shop"}),  # An id of one site is free on another.
    (2, 2, {"event_id": "first", "event_time": BASE_MS}),  # A retry before the crash …
    (50, 50, {}),
    (120, 120, {}),  # … the first session is closed by now.
    (25, 121, {}),  # Joins the sessions of minutes 0 and 50.
    (122, 122, {"type": "click", "content_id": "c", "event_id": "click"}),
    (122, 123, {"type": "click", "content_id": "c", "event_id": "click"}),  # A retry after the crash.
    (3 * DAY, 3 * DAY, {"context": {"country": "DE"}}),
    (4 * DAY, 4 * DAY, {}),  # A day after the third day.
    (8 * DAY, 8 * DAY, {}),
    (9 * DAY, 9 * DAY, {}),
    (9 * DAY + 1, 9 * DAY + 1, {"visitor_id": "w"}),
    (9 * DAY + 2, 9 * DAY + 2, {"type": "subscription_started", "subscription_id": "s",
                                "mrr": 10, "trial": True}),
    (9 * DAY + 3, 9 * DAY + 3, {"visitor_id": "a", "user_id": "undefined"}),
    (9 * DAY + 3, 9 * DAY + 3, {"visitor_id": "b", "user_id": "undefined"}),
    (9 * DAY + 4, 9 * DAY + 4, {"visitor_id": "c", "type": "ticket_opened", "ticket_id": "t",
                                "direction": "outgoing"}),
]  # fmt: skip
#: A checkpoint and a crash between the click and its retry.
SCHEDULE: list[Action] = [
    ("read", 0, 4), ("close", 0, 0), ("read", 0, 1), ("close", 0, 0), ("read", 0, 2),
    ("checkpoint", 0, 0), ("crash", 0, 0),
]  # fmt: skip


def _log() -> list[LogRecord]:
    log = []
    for number, (minute, arrival, fields) in enumerate(SCENARIO):
        event = {"type": "page_view", "event_id": f"e{number}", "visitor_id": "v"}
        event |= {"event_time": BASE_MS + minute * MINUTE_MS} | fields
        arrived_ms = BASE_MS + arrival * MINUTE_MS
        log.append(LogRecord(number, arrived_ms, msgspec.json.encode(event)))
    return log


def wrong() -> list[str]:
    """Return the differences between the patched engine and the oracle."""
    settings = Settings(dimensions=("country",))
    logs = [{"t": _log()}]
    workers = run(logs, settings, SCHEDULE, people_cached=2)
    return wrong_numbers(workers, logs, settings, KINDS)


def _add_one_window(*args: int) -> tuple[int, int]:
    first, last = active_days.windows_gained(*args)
    return first, last + 1


def _drop_one_window(*args: int) -> tuple[int, int]:
    first, last = active_days.windows_gained(*args)
    return first, last - 1


def _merge_without_pages(into: Session, other: Session, earlier: bool) -> None:
    pages = into.page_views
    _merge(into, other, earlier)
    into.page_views = pages


def _merge_without_end(into: Session, other: Session, earlier: bool) -> None:
    end = into.end
    _merge(into, other, earlier)
    into.end = end


def _reopen_without_subtracting(
    self: open_sessions.OpenSessions, person: Any, group: list[Session]
) -> None:
    if group[0].closed:
        for fragment in group:
            fragment.closed = False
        self.number += 1
        self._track(person, group[-1].end + self._rules.timeout_ms)


def _trials_pay(state: customers.State, event: customers.SubscriptionEvent) -> customers.Effect:
    return _advance(state, event._replace(trial=False))


def _nothing(*args: object) -> None:
    """Do nothing in place of the patched function."""


class _NoIds(duplicates.SeenIds):
    def add(self, site: str, event_id: str, offset: int, clock: int) -> bool:
        return False


class _IdsOfAllSites(duplicates.SeenIds):
    def add(self, site: str, event_id: str, offset: int, clock: int) -> bool:
        return super().add("", event_id, offset, clock)


def _forget_day_before(known: lifecycle.Days, day: int, *rest: object) -> list[lifecycle.Change]:
    """Report every person as absent on the day before."""
    return _lifecycle_changes(known._replace(mask=0), day, *rest)  # type: ignore[arg-type]


def _a_day_too_late(known: lifecycle.Days, day: int, returns: Sequence[lifecycle.Return]) -> Any:
    late = tuple(replace(one, farthest=one.farthest + 1) for one in returns)
    return _returns_of_new(known, day, late)


_lifecycle_changes, _steps = lifecycle.changes, lifecycle.steps
_returns_of_new = lifecycle._returns_of_new
_advance = customers.advance
MUTANTS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "a window too many": (activity, "windows_gained", _add_one_window),
    "a window too few": (activity, "windows_gained", _drop_one_window),
    "a merge forgets the page views": (index, "merge", _merge_without_pages),
    "a merge forgets the end": (index, "merge", _merge_without_end),
    "reopening subtracts nothing": (
        open_sessions.OpenSessions,
        "reopen",
        _reopen_without_subtracting,
    ),
    "ids are not remembered": (state, "SeenIds", _NoIds),
    "placeholder ids are people": (placeholder_ids.PlaceholderIds, "has", lambda *_: False),
    "a ticket of support makes active": (event_rules, "_is_opened_by_support", lambda _: False),
    "an id of one site is known on all": (state, "SeenIds", _IdsOfAllSites),
    "ids are not restored after a crash": (shard, "recall", _nothing),
    "trials pay": (customers, "advance", _trials_pay),
    "old days are not known": (activity, "neighbours", lambda mark, unit: (1_000, 1_000)),
    "people active the day before are not known": (activity, "changes", _forget_day_before),
    "returns are seen a day too late": (lifecycle, "_returns_of_new", _a_day_too_late),
    "churn risk never fades": (lifecycle, "_fading", lambda known, day: []),
    "bars only grow": (activity, "steps", lambda *of: [s._replace(before=0) for s in _steps(*of)]),
    "cohorts never mature": (due_windows.DueWindows, "mature_days", lambda *of: 0),
    "cohorts are always mature": (due_windows.DueWindows, "mature_days", lambda *of: 99),
    "closing adds nothing": (open_sessions.OpenSessions, "_count", _nothing),
}


def test_the_unchanged_engine_passes() -> None:
    assert wrong() == []


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_engine_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, broken = MUTANTS[mutant]
    monkeypatch.setattr(where, name, broken)
    assert wrong() != []
