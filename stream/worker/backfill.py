"""Counts everything again from Kafka's beginning, into a new generation of the state.

The live workers go on counting. Once the new generation has caught up, it is made the live one, and
they go on from its offsets. Each shard is folded exactly as a live worker folds it.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from faust.types import TP

from schemas.codec import parse_all
from stream.engine.checkpoint import position, settle_checkpoint, take_checkpoint
from stream.engine.record import Record
from stream.engine.shard import Shard
from stream.settings.application import Settings
from stream.store.people_reader import close_some, people_of
from stream.store.shards import Claim, Store
from stream.worker.churn_scan import assess_some
from stream.worker.clock import now_ms
from stream.worker.loading import Loader
from stream.worker.process.garbage import COLLECTOR

_RECORDS = 5_000
_WAIT_MS = 500
_CHECKPOINT_EVERY = 100_000


class Progress(NamedTuple):
    """Records of one shard: those passed, and all that the log holds by now."""

    partition: int
    passed: int
    total: int


class ConsumerBounds:
    """The bounds of partitions, as a plain consumer knows them."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def bounds(self, tps: set[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        """Return the first and the next offset of each partition."""
        partitions = [TopicPartition(*tp) for tp in tps]
        first = await self._consumer.beginning_offsets(partitions)
        end = await self._consumer.end_offsets(partitions)
        return {TP(*tp): n for tp, n in first.items()}, {TP(*tp): n for tp, n in end.items()}


class Backfill:
    """Fills one generation. `store` and `loader` must be of that generation, with no other writer."""

    def __init__(
        self,
        settings: Settings,
        loader: Loader,
        store: Store,
        consumer: AIOKafkaConsumer,
        report: Callable[[Progress], None],
    ) -> None:
        self._topics = settings.topics.inputs
        self._dirty_max = settings.limits.dirty_max
        self._loader = loader
        self._store = store
        self._consumer = consumer
        self._report = report
        self._shards: dict[int, tuple[Claim, Shard]] = {}
        #: Partition → position of its last checkpoint.
        self._positions: dict[int, str] = {}

    async def run(self, partitions: int) -> None:
        """Fold every shard up to the present end of the log, twice: the second time is short."""
        for _ in range(2):
            for partition in range(partitions):
                await self._catch_up(partition)

    async def _catch_up(self, partition: int) -> None:
        tps = [TopicPartition(topic, partition) for topic in self._topics]
        self._consumer.assign(tps)
        ends = await self._consumer.end_offsets(tps)
        if partition not in self._shards:
            claim, _ = self._shards[partition] = await self._loader.load(partition)
            self._positions[partition] = claim.position
        claim, shard = self._shards[partition]
        for tp in tps:
            self._consumer.seek(tp, shard.topics[tp.topic].next)
        since_checkpoint = 0
        while lacking := [tp for tp in tps if shard.topics[tp.topic].next < ends[tp]]:
            since_checkpoint += await self._fold_some(shard, lacking, ends)
            _heed_cancellation()
            if since_checkpoint >= _CHECKPOINT_EVERY or shard.people.held >= self._dirty_max:
                await self._save(claim, shard)
                since_checkpoint = 0
            self._report(_progress(shard, ends))
        await self._save(claim, shard)
        self._report(_progress(shard, ends))

    async def _fold_some(
        self, shard: Shard, lacking: list[TopicPartition], ends: Mapping[TopicPartition, int]
    ) -> int:
        fetched = await self._consumer.getmany(*lacking, timeout_ms=_WAIT_MS, max_records=_RECORDS)
        count = 0
        for tp in lacking:
            # Records beyond `ends` may be among them: a live worker has read those by then as well.
            records = fetched.get(tp, [])
            await self._fold(shard, tp.topic, records)
            reached = await self._consumer.position(tp)
            if reached > shard.topics[tp.topic].next:
                shard.skip(tp.topic, reached)
            if shard.topics[tp.topic].next >= ends[tp]:
                shard.drained(tp.topic, now_ms())
            count += len(records)
        shard.advance()
        while await close_some(self._store, shard):
            pass
        # The live worker has sent these dead letters already.
        shard.dead_letters.clear()
        return count

    async def _fold(self, shard: Shard, topic: str, records: list[Record]) -> None:
        if not records:
            return
        first = records[0].offset
        if first > shard.topics[topic].next:
            shard.skip(topic, first)
        COLLECTOR.before_slice()
        decoded = parse_all([record.value for record in records])
        people = await people_of(self._store, shard, decoded, lambda: True)
        assert people is not None  # No other worker can take this shard.
        shard.apply(topic, records, decoded, people, now_ms())
        COLLECTOR.after_slice()

    async def _save(self, claim: Claim, shard: Shard) -> None:
        checkpoint = take_checkpoint(shard, self._positions[shard.partition])
        await self._store.store(claim, checkpoint)
        settle_checkpoint(shard)
        self._positions[shard.partition] = position(shard)
        # Without sending churn risks: the live worker has published those of single people.
        while await assess_some(self._store, shard, None, lambda: True):
            pass


def _heed_cancellation() -> None:
    """Raise CancelledError if the task was asked to end.

    In Python 3.11 `asyncio.wait_for`, which the Kafka client uses, loses the request if its result
    arrives in the same moment: usual after folding, which blocks the loop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _progress(shard: Shard, ends: Mapping[TopicPartition, int]) -> Progress:
    topics = shard.topics
    passed = sum(state.next - state.start for state in topics.values())
    total = sum(end - topics[tp.topic].start for tp, end in ends.items())
    return Progress(shard.partition, passed, total)
