"""How long a shard keeps what: the counters that it drops with a cut, and the bounds of what a person keeps."""

from stream.counters import measures
from stream.counters.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from stream.counters.measures import Grain
from stream.engine.shard import Shard
from stream.people.activity import HOURS_KEPT
from stream.people.person import MARK_DAYS


def prune(shard: Shard) -> None:
    """Drop the counters that no acceptable event and no published window needs any more."""
    oldest = shard.counted_from_ms()
    if oldest <= 0:
        return
    counters, rules = shard.counters, shard.rules
    counters.prune(Grain.MINUTE, (oldest - HOUR_MS) // MINUTE_MS, _no_levels)
    counters.prune(Grain.HOUR, (oldest - rules.hour_retention_ms) // MINUTE_MS, _no_levels)
    first_day = rules.calendar_of("").day_of(oldest) - rules.retention_days
    if counters.tables[Grain.DAY] and min(counters.tables[Grain.DAY]) < first_day:
        levels = {i for i, name in shard.registry.series.items() if measures.is_level(name[0])}
        counters.prune(Grain.DAY, first_day, frozenset(levels))


def keep_from(shard: Shard) -> tuple[int, int, int, int]:
    """(oldest day and hour of marks, oldest minute of live marks, oldest end of closed sessions in ms)."""
    oldest, rules = shard.oldest_ms(), shard.rules
    day = rules.calendar_of("").day_of(oldest) if oldest > 0 else MARK_DAYS
    if shard.churn_risk is not None:
        # What it has not looked at yet must not be forgotten, however far the log has gone on.
        day = min(day, max(shard.churn_risk.next_day, MARK_DAYS))
    sessions = rules.sessions
    # A piece is kept as long as an event may still change the session that it is part of.
    reach_ms = max(sessions.max_duration_ms + sessions.longest_timeout_ms, sessions.id_reach_ms)
    if sessions.id_max_ms:
        # What comes after the end of a session id is known by it, for as long as days are kept.
        reach_ms = rules.retention_days * DAY_MS
    hour = oldest // HOUR_MS - HOURS_KEPT
    return day - MARK_DAYS, hour, shard.oldest_live_minute(), oldest - reach_ms


_no_levels: frozenset[int] = frozenset()
