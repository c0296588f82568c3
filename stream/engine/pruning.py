"""Pruning: the counters that a checkpoint drops, and the bounds of what people keep."""

from typing import NamedTuple

from stream.counters import measures
from stream.counters.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from stream.counters.measures import Grain
from stream.engine.state import ShardState
from stream.people.activity import HOURS_KEPT
from stream.people.person import BITMAP_DAYS


class PeopleBounds(NamedTuple):
    """The oldest day, hour and live minute that people keep, and the oldest end of a closed session.

    `mixed_session_ms` is that end for people with sessions of both kinds, by id and by gaps.
    """

    day: int
    hour: int
    minute: int
    session_ms: int
    mixed_session_ms: int


def prune(state: ShardState) -> None:
    """Drop the counters that neither an accepted event nor a published window needs."""
    oldest_ms = state.counted_from_ms()
    if oldest_ms <= 0:
        return
    counters, rules = state.counters, state.rules
    counters.prune(Grain.MINUTE, (oldest_ms - HOUR_MS) // MINUTE_MS, _no_levels)
    counters.prune(Grain.HOUR, (oldest_ms - rules.hour_retention_ms) // MINUTE_MS, _no_levels)
    first_day = rules.calendar_of("").day_of(oldest_ms) - rules.settings.time.day_retention_days
    if counters.tables[Grain.DAY] and min(counters.tables[Grain.DAY]) < first_day:
        levels = {i for i, name in state.registry.series.items() if measures.is_level(name[0])}
        counters.prune(Grain.DAY, first_day, frozenset(levels))


def people_bounds(state: ShardState) -> PeopleBounds:
    """Return the bounds of what people keep."""
    oldest_ms, rules = state.oldest_ms(), state.rules
    day = rules.calendar_of("").day_of(oldest_ms) if oldest_ms > 0 else BITMAP_DAYS
    if state.churn_risk is not None:
        # Days that the churn model has not settled stay, however far the log has gone on.
        day = min(day, max(state.churn_risk.next_day, BITMAP_DAYS))
    sessions = rules.sessions
    # A fragment stays as long as an event may still change the session it is part of.
    reach_ms = max(sessions.max_duration_ms + sessions.longest_timeout_ms, sessions.id_reach_ms)
    if sessions.id_max_ms:
        # A later event finds the id over only while the id is kept.
        reach_ms = rules.settings.time.day_retention_days * DAY_MS
    # A session by id may take over gap sessions from its reach on, and those may join older ones.
    mixed_ms = reach_ms + sessions.max_duration_ms + 2 * sessions.longest_timeout_ms
    return PeopleBounds(
        day=day - BITMAP_DAYS,
        hour=oldest_ms // HOUR_MS - HOURS_KEPT,
        minute=state.oldest_live_minute(),
        session_ms=oldest_ms - reach_ms,
        mixed_session_ms=oldest_ms - mixed_ms,
    )


_no_levels: frozenset[int] = frozenset()
