"""Driver of the real engine: logs, shards, batches, checkpoints in memory, crashes, final records."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.codec import RejectedEvent, parse
from schemas.outputs import MetricRecord, WindowKind
from stream.configure.compile import build_rules
from stream.configure.fingerprints import definition_version
from stream.counters.calendar import MINUTE_MS
from stream.counters.measures import Grain
from stream.counters.table import BucketKey
from stream.engine.checkpoint import (
    Checkpoint,
    position,
    restore,
    settle_checkpoint,
    take_checkpoint,
)
from stream.engine.record import Decoded
from stream.engine.shard import Shard
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import required_grains
from stream.people.person import Person, person_field, unpack
from stream.publish.due_windows import END_OF_INPUT
from stream.publish.merged_counts import MergedCounts
from stream.publish.records import Emission
from stream.settings.application import Settings

EVERYONE = 1 << 60
#: (action, number of the topic, number of records)
Action = tuple[str, int, int]


class LogRecord(NamedTuple):
    """Record as Kafka stores it. The timestamp is the broker's unless the type is 0."""

    offset: int
    timestamp: int
    value: bytes
    timestamp_type: int = 1
    key: bytes | None = None


Log = Sequence[LogRecord]


@dataclass
class MemoryStore:
    """State of one shard in place of Redis: each checkpoint is stored in one step."""

    position: str = ""
    sequence: int = 0
    state: bytes = b""
    people: dict[bytes, bytes] = field(default_factory=dict)
    buckets: dict[BucketKey, dict[int, int]] = field(default_factory=dict)
    names: dict[int, bytes] = field(default_factory=dict)
    opened: dict[str, tuple[int, int]] = field(default_factory=dict)
    dead_letters: list[bytes] = field(default_factory=list)

    def store(self, checkpoint: Checkpoint) -> None:
        """Store a checkpoint; it must start from the stored position."""
        assert checkpoint.expected == self.position
        self.position, self.sequence, self.state = (
            checkpoint.reached,
            checkpoint.sequence,
            checkpoint.state,
        )
        self.people.update(checkpoint.people)
        for key, counts in checkpoint.buckets.items():
            self.buckets.setdefault(key, {}).update(counts)
        for key in checkpoint.dropped:
            self.buckets.pop(key, None)
        self.names.update(checkpoint.names)
        self.opened.update(checkpoint.opened)
        for person in checkpoint.closed:
            self.opened.pop(person, None)
        self.dead_letters += checkpoint.dead_letters

    def read(self, keys: Iterable[str]) -> list[Person]:
        """Return people as stored; an unknown person is empty."""
        found = ((key, self.people.get(person_field(key))) for key in keys)
        return [Person(key) if raw is None else unpack(key, raw) for key, raw in found]


class Worker:
    """Owner of one shard: reads its partition of every topic, and may crash at any moment."""

    def __init__(
        self,
        partition: int,
        logs: Mapping[str, Log],
        settings: Settings,
        people_cached: int,
        now_ms: int,
    ) -> None:
        self.partition, self.logs, self.settings = partition, logs, settings
        self.people_cached, self.now_ms = people_cached, now_ms
        self._grains = required_grains(catalogue(settings))
        self.store = MemoryStore()
        self.shard = self._new_shard()
        self.store.position = self.stored_position = position(self.shard)
        self.crashes = 0
        self._highest_watermark = 0

    def _new_shard(self) -> Shard:
        rules = build_rules(self.settings)
        cached = self.people_cached
        return Shard(self.partition, self.logs, rules, self._grains, cached, cached)

    def act(self, action: Action) -> None:
        """Do one action of a schedule."""
        what, topic, count = action
        if what == "read":
            self.read(list(self.logs)[topic % len(self.logs)], count)
        elif what == "checkpoint":
            self.checkpoint()
        elif what == "lost":
            take_checkpoint(self.shard, self.stored_position)  # It never reaches the store.
            self.crash()
        elif what == "crash":
            self.crash()
        else:
            self.close()

    def read(self, topic: str, count: int) -> int:
        """Apply the next records of a topic; return their number."""
        shard, start = self.shard, self.shard.topics[topic].expected
        records = self.logs[topic][start : start + count]
        if not records:
            return 0
        decoded = [_decode(record) for record in records]
        people, missing = shard.prepare(decoded)
        if missing:
            rotations = shard.people.rotations
            shard.admit(self.store.read(missing))
            people, missing = shard.complete(decoded, people, missing, rotations)
        assert not missing
        shard.apply(topic, records, decoded, people, self.now_ms)
        return len(records)

    def read_all(self, count: int = 7) -> None:
        """Read every topic to its end, in turns."""
        while sum(self.read(topic, count) for topic in self.logs):
            self.close()

    def close(self) -> None:
        """Move the watermark and close the sessions that are due."""
        self.shard.advance()
        self._check_watermark()
        due = 1
        while due:
            due, absent = self.shard.close_sessions(limit=3)
            self.shard.close_sessions_of(self.store.read(absent))

    def checkpoint(self) -> None:
        """Take a checkpoint and store it."""
        self.check_conservation()
        checkpoint = take_checkpoint(self.shard, self.stored_position)
        self.store.store(checkpoint)
        self.stored_position = checkpoint.reached
        settle_checkpoint(self.shard)

    def crash(self) -> None:
        """Forget everything that is not stored, and continue the log from the stored position."""
        self.crashes += 1
        self.shard = self._new_shard()
        store = self.store
        if store.state:
            restore(
                self.shard,
                store.sequence,
                store.state,
                list(store.names.items()),
                {key: dict(counts) for key, counts in store.buckets.items()},
                dict(store.opened),
            )
        self.stored_position = store.position
        self.check_conservation()
        stored = (self.shard.restored("", raw) for raw in store.people.values())
        assert self.shard.sessions.open.number == sum(
            len(self.shard.sessions.open.expiries(person)) for person in stored
        )

    def check_conservation(self) -> None:
        """design.md: offsets advanced = applied + rejected + duplicate + late + skipped."""
        for topic in self.shard.topics.values():
            assert topic.next - topic.start == sum(topic.counts.values()), topic

    def _check_watermark(self) -> None:
        watermark = self.shard.watermark
        if watermark is not None and not self.crashes:
            assert watermark >= self._highest_watermark
            self._highest_watermark = watermark

    def finish(self) -> None:
        """Read the rest, close everything as at the end of input, then store it."""
        self.read_all()
        for topic, log in self.logs.items():
            assert self.shard.topics[topic].next == len(log)
        self.shard.watermark = END_OF_INPUT
        self.close()
        assert self.shard.sessions.open.number == 0
        self.checkpoint()
        held = self.shard.counters.tables
        assert self.store.buckets == {(g, i): held[g][i] for g in held for i in held[g]}

    def parts(self) -> Iterator[tuple[BucketKey, dict[tuple[str, tuple[str, str, str]], int]]]:
        """Yield the stored buckets, with the names of their series."""
        names = self.shard.registry.series
        for key, counts in self.store.buckets.items():
            yield key, {(names[i][0], names[i][1:]): count for i, count in counts.items()}

    def outcomes(self) -> dict[str, int]:
        """Return the number of records by outcome."""
        return dict(self.shard.outcomes())


def _decode(record: LogRecord) -> Decoded:
    try:
        return parse(record.value)
    except RejectedEvent as error:
        return error


def final_records(
    workers: Iterable[Worker],
    settings: Settings,
    kinds: Iterable[WindowKind] | None = None,
    metrics: Collection[str] | None = None,
) -> list[MetricRecord]:
    """Return all records of the merged shards, final; `metrics` restricts them."""
    parts_of: dict[BucketKey, list[dict[tuple[str, tuple[str, str, str]], int]]] = {}
    for worker in workers:
        for key, part in worker.parts():
            parts_of.setdefault(key, []).append(part)
    merged = MergedCounts(build_rules(settings).calendar_of, definition_version(settings))
    for key, parts in parts_of.items():
        merged.replace(key, parts)
    wanted = [m for m in catalogue(settings) if metrics is None or m.name in metrics]
    emission = Emission(merged, wanted, None if kinds is None else list(kinds))
    emission.note(parts_of)
    due = emission.due(END_OF_INPUT, END_OF_INPUT, revision=1)
    return [record for records in due for record in records]


def run(
    logs: Sequence[Mapping[str, Log]],
    settings: Settings,
    schedule: Sequence[Action] = (),
    *,
    people_cached: int = EVERYONE,
    now_ms: int = END_OF_INPUT,
    watch: Callable[[Worker], None] = lambda worker: None,
) -> list[Worker]:
    """Run one worker for each partition's logs, all to the end."""
    workers = [
        Worker(number, part, settings, people_cached, now_ms) for number, part in enumerate(logs)
    ]
    for worker in workers:
        for action in schedule:
            worker.act(action)
            watch(worker)
        worker.finish()
    return workers


def kept_from_ms(workers: Iterable[Worker]) -> int:
    """Return the start of the oldest minute that is kept: earlier ones may have been dropped when final."""
    dropped = [
        min(
            (index for grain, index in worker.store.buckets if grain is Grain.MINUTE),
            default=1 << 40,
        )
        for worker in workers
        if worker.shard.oldest_ms() > 0
    ]
    return max(dropped, default=0) * MINUTE_MS
