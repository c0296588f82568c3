"""A cut: everything that changed in a shard since the last one, as absolute values, with its offsets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from stream.churn.risk import StoredRisk
from stream.counters.measures import Grain
from stream.counters.table import BucketKey
from stream.engine.duplicates import SeenIds
from stream.engine.pruning import keep_from, prune
from stream.engine.shard import Shard
from stream.engine.watermark import TopicState
from stream.people.person import MARK_DAYS, Person, pack_all

#: Raised when stored state can no longer be read by this code.
STATE_VERSION = 2


class StoredTopic(msgspec.Struct, array_like=True):
    """A TopicState as it is stored; see there."""

    start: int
    next: int
    clock: int
    recall_offset: int
    recall_clock: int
    counts: dict[str, int]
    reasons: dict[str, int]


class StoredShard(msgspec.Struct, array_like=True):
    """The part of a shard that every cut writes whole."""

    topics: dict[str, StoredTopic]
    watermark: int | None
    reopened: int
    evictions: int
    dedupe_capped: int
    open_sessions: int
    floor_ms: int
    churn_risk: StoredRisk | None = None


@dataclass(slots=True)
class Checkpoint:
    """What one atomic step writes. Every value is absolute, so that writing it again changes nothing."""

    partition: int
    sequence: int
    #: What the delta starts from: must still be what is stored.
    expected: str
    #: What it ends in: the same form.
    reached: str
    state: bytes
    people: dict[bytes, bytes]
    buckets: dict[BucketKey, dict[int, int]]
    dropped: set[BucketKey]
    names: dict[int, bytes]
    #: Person's key → (time from which a session of theirs may close, how many are open).
    opened: dict[str, tuple[int, int]]
    closed: list[str]
    dead_letters: list[bytes]
    #: Next offset per topic, for the courtesy commit to Kafka.
    offsets: dict[str, int] = field(default_factory=dict)


def position(shard: Shard) -> str:
    """The cut a shard's next delta starts from: sequence and offsets, as one comparable text."""
    offsets = ",".join(f"{name}={state.next}" for name, state in sorted(shard.topics.items()))
    return f"{shard.sequence};{offsets}"


def is_due(shard: Shard, stored_position: str, stored_watermark: int | None) -> bool:
    """Whether anything has changed that a cut would store."""
    return (
        position(shard) != stored_position
        or bool(shard.people.dirty or shard.counters.changed)
        or (shard.watermark or 0) - (stored_watermark or 0) >= 1000
    )


def take_checkpoint(shard: Shard, expected: str) -> Checkpoint:
    """Freeze what changed and begin the next delta. The people stay in memory until `settle_cut`."""
    shard.count_collected()
    prune(shard)
    people, counters, sessions = shard.people, shard.counters, shard.sessions
    bounds = keep_from(shard)
    risk = shard.churn_risk
    if risk is not None:
        first_day = min(counters.tables[Grain.DAY], default=0)
        risk.checkpoint_taken(shard.watermark or 0, shard.counted_from_ms(), first_day)
    named = risk is not None and risk.rules.publishes_people
    shard.sequence += 1
    opened, closed = _open_sessions(shard)
    checkpoint = Checkpoint(
        partition=shard.partition,
        sequence=shard.sequence,
        expected=expected,
        reached=position(shard),
        state=_encode(_stored(shard)),
        people=pack_all(people.dirty.values(), *bounds, named),
        buckets={
            key: {series: counters.tables[key[0]][key[1]][series] for series in changed}
            for key, changed in counters.changed.items()
        },
        dropped=counters.dropped,
        names=shard.registry.fresh,
        opened=opened,
        closed=closed,
        dead_letters=shard.dead_letters,
        offsets={name: state.next for name, state in shard.topics.items()},
    )
    people.in_flight, people.dirty = people.dirty, {}
    counters.changed, counters.dropped = {}, set()
    shard.registry.fresh, shard.dead_letters = {}, []
    sessions.open_changed = set()
    return checkpoint


def settle_checkpoint(shard: Shard) -> None:
    """The cut is stored: its people may be evicted now."""
    shard.people.in_flight = {}
    if shard.churn_risk is not None:
        shard.churn_risk.checkpoint_stored()


def restore(
    shard: Shard,
    sequence: int,
    state: bytes,
    names: Iterable[tuple[int, bytes]],
    buckets: Mapping[BucketKey, dict[int, int]],
    opened: Mapping[str, tuple[int, int]],
) -> None:
    """Make a new shard what the stored cut says. Raises msgspec.DecodeError on foreign state."""
    stored = _decode(state)
    shard.sequence = sequence
    shard.watermark = stored.watermark
    shard.registry.load(names)
    for (grain, index), counts in buckets.items():
        shard.counters.load(grain, index, counts)
    for key, (expires_ms, sessions) in opened.items():
        shard.sessions.resume(key, expires_ms, sessions)
    shard.sessions.reopened = stored.reopened
    shard.people.evictions = stored.evictions
    for name, topic in stored.topics.items():
        # A topic that is no longer configured keeps its counts, but holds no watermark back.
        known = shard.topics if name in shard.topics else shard.retired
        known[name] = _restored(name, topic, shard)
    if shard.churn_risk is not None:
        shard.churn_risk.restore(stored.churn_risk, _kept_days_from(shard))


def read_stored(state: bytes) -> StoredShard:
    """The always-written part of a cut. Raises msgspec.DecodeError on foreign state."""
    return _decode(state)


def _restored(name: str, topic: StoredTopic, shard: Shard) -> TopicState:
    seen = SeenIds(
        shard.rules.dedupe_ms, shard.rules.ids_max, topic.recall_offset, topic.recall_clock
    )
    return TopicState(
        topic=name,
        seen=seen,
        start=topic.start,
        next=topic.next,
        expected=min(topic.recall_offset, topic.next),
        clock=topic.clock,
        recall_clock=topic.recall_clock,
        counts=topic.counts,
        reasons=topic.reasons,
    )


def _kept_days_from(shard: Shard) -> int:
    """The first day that no mark has ever lost: nothing older than a horizon was acceptable."""
    newest_ms = max(state.clock for state in shard.topics.values())
    oldest_ms = newest_ms - shard.rules.horizon_ms
    day = shard.rules.calendar_of("").day_of(oldest_ms) if oldest_ms > 0 else MARK_DAYS
    return day - MARK_DAYS + 1


def _stored(shard: Shard) -> StoredShard:
    topics = {
        name: StoredTopic(
            s.start, s.next, s.clock, s.seen.recall_offset, s.seen.recall_clock, s.counts, s.reasons
        )
        for name, s in (shard.topics | shard.retired).items()
    }
    return StoredShard(
        topics=topics,
        watermark=shard.watermark,
        reopened=shard.sessions.reopened,
        evictions=shard.people.evictions,
        dedupe_capped=sum(s.seen.capped for s in shard.topics.values()),
        open_sessions=shard.sessions.open_count,
        floor_ms=shard.counted_from_ms(),
        churn_risk=None if shard.churn_risk is None else shard.churn_risk.stored(),
    )


def _open_sessions(shard: Shard) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """The index of open sessions, where it changed. An expiry may be early: closing looks again."""
    opened: dict[str, tuple[int, int]] = {}
    closed: list[str] = []
    for key in shard.sessions.open_changed:
        person: Person = shard.person(key)
        expiries: list[int] = shard.sessions.expiries(person)
        if expiries:
            opened[key] = (min(expiries), len(expiries))
        else:
            closed.append(key)
    return opened, closed


_encode: Any = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(StoredShard).decode
