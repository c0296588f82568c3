"""Worker without Kafka: the real shard owner over a log in memory and a real Redis."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from faust.types import TP

from stream.configure.compile import build_rules
from stream.configure.load import load_settings
from stream.counters.measures import KNOWN, OFF_SCALE_EVENTS, UNMATCHED_EVENTS
from stream.engine.shard import Shard
from stream.kafka.fetch import Fetched
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import required_grains
from stream.store.connection import connect_redis
from stream.store.shards import Claim, Store
from stream.worker.dead_letters import DeadLetterSender
from stream.worker.loading import Loader
from stream.worker.owner import ShardOwner

PARTITIONS = 2
#: Measures that commit 6131ed2 did not count under the settings of the fixture.
COUNTED_SINCE = {KNOWN, OFF_SCALE_EVENTS, UNMATCHED_EVENTS}
#: (topic, partition, epoch ms, type of that time, key, bytes as Latin-1)
Logged = Sequence[Any]

#: Defaults of that time: counts in the stored state and counts from the log agree only under them.
_DEFAULTS = {
    "ENGAGE_IDS_PLACEHOLDERS": "[]",
    "ENGAGE_SESSION_EXPLICIT_ENDS": "false",
    "ENGAGE_ACTIVE_PASSIVE_TYPES": "heartbeat, subscription_renewed, subscription_ended, "
    "ticket_resolved, marketing_spend",
}


class LogRecord(NamedTuple):
    """Record as Kafka hands it out."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes


class MemoryLog:
    """Kafka as the shard owner sees it: every partition is read to its end."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.records: dict[TP, list[LogRecord]] = {
            TP(topic, p): [] for topic in topics for p in range(PARTITIONS)
        }
        self.positions: dict[TP, int] = {}
        self.now_ms = 0

    def append(self, step: Iterable[Logged], now_ms: int) -> None:
        """Add records, and move the clock of the broker."""
        self.now_ms = now_ms
        for topic, partition, timestamp, kind, key, text in step:
            log = self.records[TP(topic, partition)]
            raw_key = None if key is None else key.encode()
            log.append(LogRecord(len(log), timestamp, kind, raw_key, text.encode("latin-1")))

    async def bounds(self, tps: set[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        return dict.fromkeys(tps, 0), {tp: len(self.records[tp]) for tp in tps}

    async def rewind(self, offsets: Mapping[TP, int]) -> None:
        self.positions.update(offsets)

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        pass

    async def committed(self, tps: set[TP]) -> Mapping[TP, int]:
        return {}

    def read_to(self, tp: TP) -> tuple[int, int]:
        return len(self.records[tp]), self.now_ms


class MemoryProducer:
    """Kafka as the sender of dead letters sees it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def send(self, topic: str, messages: Iterable[tuple[bytes | None, bytes]]) -> int:
        values = [value for _, value in messages]
        self.sent += values
        return len(values)


class InProcessWorker:
    """Both shards of an application."""

    def __init__(self, settings_text: str, redis_url: str, directory: Path) -> None:
        file = directory / "engage.toml"
        file.write_text(settings_text, "utf-8")
        self.settings = load_settings(file, {"ENGAGE_REDIS_URL": redis_url, **_DEFAULTS})
        self.client = connect_redis(self.settings)
        self.store = Store(self.client, self.settings.app, "the new worker", PARTITIONS)
        self.log = MemoryLog(self.settings.topics.inputs)
        self.producer = MemoryProducer()
        self.sender = DeadLetterSender(self.store, self.producer, self.settings.topics.ledger)
        self.metrics = catalogue(self.settings)
        self.rules = build_rules(self.settings)
        grains = required_grains(self.metrics)
        loader = Loader(self.settings, self.rules, grains, self.store, self.log)
        self.owner = ShardOwner(
            self.settings, loader, self.store, self.log, self.sender, self._count_messages
        )

    async def __aenter__(self) -> "InProcessWorker":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def _count_messages(self, messages: Iterable[Any]) -> int:
        """Take the place of the producer of churn risks."""
        return len(list(messages))

    async def take_over(self) -> None:
        """Claim and load the shards, as after an assignment."""
        self.log.positions.update(await self.owner.assigned(set(self.log.records)))
        assert self.owner.fatal is None, self.owner.problem

    async def read(self, step: Iterable[Logged], now_ms: int) -> None:
        """Let a step of the log arrive, fold it, and store what it has changed."""
        self.log.append(step, now_ms)
        for tp, records in self.log.records.items():
            start = self.log.positions[tp]
            batch = Fetched(start, len(records), records[start:])
            self.log.positions[tp] = len(records)
            await self.owner.consume(tp.topic, tp.partition, batch)
        await self.owner.tick()
        assert self.owner.fatal is None, self.owner.problem

    async def send_dead_letters(self) -> list[bytes]:
        """Send the dead letters that wait in Redis, and return them."""
        running = asyncio.create_task(self.sender.run())
        while any([await self.store.dead_letters_waiting(p) for p in range(PARTITIONS)]):
            await asyncio.sleep(0.01)
        running.cancel()
        return self.producer.sent

    def shard(self, partition: int) -> Shard:
        shard = self.owner.assigned_shards[partition].shard
        assert shard is not None
        return shard

    def claim(self, partition: int) -> Claim:
        claim = self.owner.assigned_shards[partition].claim
        assert claim is not None
        return claim

    async def stored_counts(self) -> dict[str, Any]:
        """Read all counts but 0, and open sessions from Redis, by shard, bucket and name.

        Without measures that begin with the take-over: the old worker did not count them.
        """
        found: dict[str, Any] = {}
        for partition in range(PARTITIONS):
            loaded = await self.store.load(partition)
            names = {name_id: raw.decode() for name_id, raw in loaded.names}
            for (grain, index), counts in loaded.buckets.items():
                named = {
                    names[series]: count
                    for series, count in counts.items()
                    if count and json.loads(names[series])[1] not in COUNTED_SINCE
                }
                found[f"{partition}/{grain.name}/{index}"] = named
            found[f"{partition}/open"] = json.loads(json.dumps(loaded.opened))
        return found
