"""Checkpoint: everything a shard changed since the last one, as absolute values, with its offsets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from stream.counters.measures import Grain
from stream.counters.table import BucketKey
from stream.engine.pruning import people_bounds, prune
from stream.engine.shard import Shard
from stream.engine.stored.shard import StoredShard
from stream.engine.watermark import TopicState
from stream.people.person import BITMAP_DAYS, Person, pack_all

#: Raised when earlier code would misread what this code stores.
STATE_VERSION = 3
#: Versions that this code reads. A worker that claims a shard makes it its own version.
READ_VERSIONS = ("2", "3")


@dataclass(slots=True)
class Checkpoint:
    """Everything that one atomic step writes. Values are absolute: writing them again changes nothing."""

    partition: int
    sequence: int
    #: Position that must be stored for this checkpoint to be written.
    expected: str
    #: Position that it leads to.
    reached: str
    state: bytes
    people: dict[bytes, bytes]
    buckets: dict[BucketKey, dict[int, int]]
    dropped: set[BucketKey]
    names: dict[int, bytes]
    #: Person key → (time in epoch ms from which a session may close, number of open sessions)
    opened: dict[str, tuple[int, int]]
    closed: list[str]
    dead_letters: list[bytes]
    #: Next offset per topic, for the courtesy commit to Kafka.
    offsets: dict[str, int] = field(default_factory=dict)


def position(shard: Shard) -> str:
    """Return the sequence and the offsets of a shard as one comparable text."""
    offsets = ",".join(f"{name}={topic.next}" for name, topic in sorted(shard.topics.items()))
    return f"{shard.sequence};{offsets}"


def is_due(shard: Shard, stored_position: str, stored_watermark: int | None) -> bool:
    """Whether a checkpoint would store anything new."""
    return (
        position(shard) != stored_position
        or bool(shard.people.held or shard.counters.changed)
        or (shard.watermark or 0) - (stored_watermark or 0) >= 1000
    )


def take_checkpoint(shard: Shard, expected: str) -> Checkpoint:
    """Take the changes of every part. Changed people stay in memory until `settle_checkpoint`."""
    shard.count_collected()
    prune(shard)
    _note_checkpoint(shard)
    shard.sequence += 1
    names_people = shard.churn_risk is not None and shard.churn_risk.rules.publishes_people
    opened, closed = shard.sessions.open.take_changes(shard.held_person)
    people = take_people(shard).values()
    buckets, dropped = shard.counters.take_changes()
    return Checkpoint(
        partition=shard.partition,
        sequence=shard.sequence,
        expected=expected,
        reached=position(shard),
        state=_encode(_stored(shard)),
        people=pack_all(people, *people_bounds(shard), names_people),
        buckets=buckets,
        dropped=dropped,
        names=shard.registry.take_changes(),
        opened=opened,
        closed=closed,
        dead_letters=shard.dead_letters.take_changes(),
        offsets={name: topic.next for name, topic in shard.topics.items()},
    )


def take_people(shard: Shard) -> Mapping[str, Person]:
    """Take the changed people, and those whose closed session does not follow from its expiry."""
    people = shard.people
    for key in shard.sessions.open.move_on(shard.watermark or 0):
        people.dirty[key] = shard.held_person(key)
    return people.take_changes()


def settle_checkpoint(shard: Shard) -> None:
    """Tell the parts that the checkpoint is stored: its people may be evicted now."""
    shard.people.settle()
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
    """Restore a new shard from stored state. Raises msgspec.DecodeError on foreign state."""
    stored = read_stored(state)
    shard.sequence = sequence
    shard.watermark = stored.watermark
    shard.is_recount = stored.is_recount
    shard.registry.load(names)
    shard.counters.load(buckets)
    shard.sessions.open.load(opened, stored.closed_to_ms, stored.reopened)
    shard.people.load(stored.evictions)
    window_ms, ids_max = shard.rules.dedupe_window_ms, shard.rules.settings.dedupe.ids_max
    for name, topic in stored.topics.items():
        # A topic that is no longer configured keeps its counts, but holds no watermark back.
        topics = shard.topics if name in shard.topics else shard.retired
        topics[name] = TopicState.restored(name, topic, window_ms, ids_max)
    if shard.churn_risk is not None:
        shard.churn_risk.restore(stored.churn_risk, _kept_days_from(shard))


def read_stored(state: bytes) -> StoredShard:
    """Return the part that every checkpoint writes. Raises msgspec.DecodeError on foreign state."""
    return _decode(state)


def _note_checkpoint(shard: Shard) -> None:
    """Tell the churn model how far the checkpoint reaches."""
    if shard.churn_risk is not None:
        first_day = min(shard.counters.tables[Grain.DAY], default=0)
        shard.churn_risk.checkpoint_taken(shard.watermark or 0, shard.counted_from_ms(), first_day)


def _kept_days_from(shard: Shard) -> int:
    """Return the first day that no bitmap has ever lost: none older than a horizon was acceptable."""
    newest_ms = max(topic.clock for topic in shard.topics.values())
    oldest_ms = newest_ms - shard.rules.horizon_ms
    day = shard.rules.calendar_of("").day_of(oldest_ms) if oldest_ms > 0 else BITMAP_DAYS
    return day - BITMAP_DAYS + 1


def _stored(shard: Shard) -> StoredShard:
    topics = shard.topics | shard.retired
    return StoredShard(
        topics={name: topic.stored() for name, topic in topics.items()},
        watermark=shard.watermark,
        reopened=shard.sessions.open.reopened,
        evictions=shard.people.evictions,
        dedupe_capped=sum(topic.seen.capped for topic in shard.topics.values()),
        open_sessions=shard.sessions.open.number,
        floor_ms=shard.counted_from_ms(),
        churn_risk=None if shard.churn_risk is None else shard.churn_risk.stored(),
        is_recount=shard.is_recount,
        closed_to_ms=shard.sessions.open.closed_to_ms,
    )


_encode: Any = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(StoredShard).decode
