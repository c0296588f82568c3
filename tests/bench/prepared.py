"""Prepared state: shards with days of counters and any number of people, without events of all of them.

Shards of this process count events spread over the days and store checkpoints; Kafka has the same
records. All further people are copies of the packed people of their shard under other keys: the
bytes that their own checkpoint would have stored.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import cycle
from typing import NamedTuple

from agents.simulation.traffic import Traffic
from schemas.codec import parse_all
from stream.configure.compile import build_rules
from stream.configure.fingerprints import definition_version
from stream.engine.checkpoint import position, settle_checkpoint, take_checkpoint
from stream.engine.shard import Shard
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import required_grains
from stream.people.keys import person_key
from stream.people.person import person_field
from stream.publish.snapshot import encode_snapshot
from stream.store.connection import RedisClient, connect_patiently
from stream.store.people_reader import close_some, people_of
from stream.store.published import PublishedState
from stream.store.shards import Claim, Store
from stream.worker.publisher import Publisher
from tests.bench.live_events import SITE, page_view, partition_of, visitor
from tests.faults.fleet import PARTITIONS, Fleet, Record

_SLICE, _CHECKPOINT_EVERY, _FIELDS = 512, 20_000, 5_000
#: Visiting people have looked at a page within this time before the end.
_VISIT_MS = 10 * 60_000
_TEMPLATES = 2_000


class Wanted(NamedTuple):
    """Size of a state."""

    #: People ever seen, besides those of the `events`.
    people: int
    days: int
    #: Events spread over the days.
    events: int = 20_000
    #: Those of `people` who have an open session at the end.
    visiting: int = 2_000


class Logged(NamedTuple):
    """Record as the log has it."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    timestamp_type: int = 0


async def prepare(fleet: Fleet, wanted: Wanted, end_ms: int) -> None:
    """Store the state of a fleet up to `end_ms`. It has topics, and no worker yet."""
    client = connect_patiently(fleet.settings)
    store = Store(client, fleet.settings.app, "prepared", PARTITIONS)
    try:
        filled = [await FilledShard.new(fleet, store, number) for number in range(PARTITIONS)]
        for record in _events(wanted, end_ms):
            fleet.produce([record])
            await filled[record.partition].take(record)
        fleet.flush()
        for one in filled:
            await one.save(end_ms)
        for number in range(PARTITIONS):
            await _copy_people(client, store.keys(number).people, number, wanted)
        await _publish(fleet, client, store, filled[0].claim.epoch)
    finally:
        await client.aclose()


def _events(wanted: Wanted, end_ms: int) -> Iterator[Record]:
    """Yield the events of the days, then one of each visiting person."""
    history = Traffic(7, rate_per_second=100, sites=(SITE,)).history
    for sent in history(wanted.days, end_ms - _VISIT_MS, wanted.events):
        yield Record(sent.role, partition_of(sent.key), sent.key, sent.raw)
    for number in range(wanted.visiting):
        time_ms = end_ms - _VISIT_MS + number * _VISIT_MS // wanted.visiting
        yield page_view(f"visiting-{number}", number, time_ms)


class FilledShard:
    """A shard that counts in this process."""

    def __init__(self, fleet: Fleet, store: Store, claim: Claim, shard: Shard) -> None:
        self.claim = claim
        self._topic = fleet.topic
        self._store = store
        self._shard = shard
        self._position = claim.position
        self._waiting: defaultdict[str, list[Logged]] = defaultdict(list)
        self._offsets: defaultdict[str, int] = defaultdict(int)
        self._since = 0

    @classmethod
    async def new(cls, fleet: Fleet, store: Store, partition: int) -> "FilledShard":
        """Claim the shard."""
        settings = fleet.settings
        shard = Shard(
            partition, settings.topics.inputs, build_rules(settings),
            required_grains(catalogue(settings)), settings.limits.people_cached,
        )  # fmt: skip
        claim = await store.claim(partition)
        shard.sequence = time.time_ns() // 1_000_000
        return cls(fleet, store, claim, shard)

    async def take(self, record: Record) -> None:
        """Count a record, soon."""
        topic = self._topic(record.role)
        waiting = self._waiting[topic]
        now_ms = time.time_ns() // 1_000_000
        waiting.append(Logged(self._offsets[topic], record.key, record.value, now_ms))
        self._offsets[topic] += 1
        if len(waiting) >= _SLICE:
            await self._fold(topic)
        self._since += 1
        if self._since >= _CHECKPOINT_EVERY:
            await self.save()

    async def save(self, now_ms: int = 0) -> None:
        """Count everything, close what is due, and store a checkpoint. `now_ms`: all topics are read to their end."""
        for topic in self._waiting:
            await self._fold(topic)
        shard = self._shard
        clock_ms = now_ms or max(topic.clock for topic in shard.topics.values())
        for topic in shard.topics:
            shard.drained(topic, clock_ms, clock_ms)
        shard.advance()
        while await close_some(self._store, shard):
            pass
        await self._store.store(self.claim, take_checkpoint(shard, self._position))
        settle_checkpoint(shard)
        self._position, self._since = position(shard), 0

    async def _fold(self, topic: str) -> None:
        records, self._waiting[topic] = self._waiting[topic], []
        if records:
            decoded = parse_all([record.value for record in records])
            people = await people_of(self._store, self._shard, decoded, lambda: True)
            assert people is not None
            now_ms = time.time_ns() // 1_000_000
            self._shard.apply(topic, records, decoded, people, now_ms)


async def _copy_people(client: RedisClient, hash_key: str, partition: int, wanted: Wanted) -> None:
    """Write the people of one partition who are not visiting, each as a copy of one who was counted."""
    drawn = await client.execute_command("HRANDFIELD", hash_key, _TEMPLATES)
    packed = cycle(await client.execute_command("HMGET", hash_key, *drawn))
    fields: list[bytes] = []
    for number in range(wanted.visiting, wanted.people):
        who = visitor(number)
        if partition_of(who.encode()) == partition:
            fields += (person_field(person_key(SITE, who)), next(packed))
        if len(fields) >= 2 * _FIELDS:
            await client.execute_command("HSET", hash_key, *fields)
            fields = []
    if fields:
        await client.execute_command("HSET", hash_key, *fields)


async def _publish(fleet: Fleet, client: RedisClient, store: Store, epoch: int) -> None:
    """Publish what is stored, so that the first worker does not send records of all days."""
    settings = fleet.settings
    state = PublishedState(client, store, settings.app, PARTITIONS)
    rules = build_rules(settings)
    publisher = Publisher(state, catalogue(settings), rules, definition_version(settings))
    snapshot = await publisher.refresh(time.time_ns() // 1_000_000)
    for _ in publisher.due_records(snapshot):
        pass
    publisher.acknowledged(snapshot)
    assert publisher.progress is not None
    await state.publish(epoch, publisher.progress, encode_snapshot(snapshot))
