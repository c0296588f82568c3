"""The way of a batch into its shard: contiguity, people, folding, and the limit on dead letters."""

import asyncio
import logging

from aiokafka.errors import KafkaError
from faust.types import TP
from redis.exceptions import RedisError

from schemas.codec import RejectedEvent, parse_all
from stream.engine.fold import Decoded
from stream.engine.shard import Shard
from stream.kafka.fetch import Fetched
from stream.settings.application import Settings
from stream.store.shards import CheckpointRefusedError, Store
from stream.worker.assigned_shard import AssignedShard, Log, OwnerCounts, now_ms
from stream.worker.people_reader import people_of
from stream.worker.rejection_limit import RejectionLimit

_log = logging.getLogger(__name__)
_HALTED_SECONDS = 1.0
#: After these, what is in memory may not be what is stored.
SHARD_IS_LOST = (RedisError, KafkaError, OSError, CheckpointRefusedError, TimeoutError)


class BatchIntake:
    """What an owner of shards does with batches; claiming and storing are the subclass's."""

    def __init__(self, settings: Settings, store: Store, log: Log) -> None:
        self._settings = settings
        self._store = store
        self._log = log
        self.assigned_shards: dict[int, AssignedShard] = {}
        self.counts = OwnerCounts()
        #: Takes no more batches: what is folded now would only be folded again by the next owner.
        self.is_closing = False
        #: Why this worker does not serve; empty when it does. Shown by /readyz.
        self.problem = "no partitions are assigned yet"
        #: Why it never will, whatever it tries: the worker exits with it.
        self.fatal: Exception | None = None

    async def checkpoint(self, assigned: AssignedShard) -> None:
        """Store what has changed since the last cut."""
        raise NotImplementedError

    def drop(self, assigned: AssignedShard, shard: Shard, error: Exception) -> None:
        """Throw a shard's memory away and reclaim it."""
        raise NotImplementedError

    async def consume(self, topic: str, partition: int, batch: Fetched) -> None:
        """Fold one fetch into its shard. Never raises: a shard in doubt is dropped and reclaimed."""
        assigned = self.assigned_shards.get(partition)
        if assigned is None or self.is_closing:
            self.counts.batches_dropped += 1
            return
        await assigned.ready.wait()
        shard = assigned.shard
        while topic in assigned.halted and assigned.shard is shard and shard is not None:  # noqa: ASYNC110
            await asyncio.sleep(_HALTED_SECONDS)
        if (
            shard is None
            or assigned.shard is not shard
            or self.assigned_shards.get(partition) is not assigned
        ):
            self.counts.batches_dropped += 1
            return
        try:
            batch, gap = self._align(assigned, shard, topic, batch)
            if gap:
                await self._close_gap(assigned, shard, topic)
            else:
                await self._fold(assigned, shard, topic, batch)
        except SHARD_IS_LOST as error:
            self.drop(assigned, shard, error)
        except Exception as error:  # noqa: BLE001
            # A defect. The shard is half folded, and what is in memory must never be stored; the
            # worker ends, so that somebody looks, and the next one starts from the last cut.
            _log.exception("%s[%d] at %d cannot be folded", topic, partition, batch.start)
            assigned.shard = assigned.claim = None
            self.fatal, self.problem = error, f"a defect: {error!r}"

    def _align(
        self, assigned: AssignedShard, shard: Shard, topic: str, batch: Fetched
    ) -> tuple[Fetched, bool]:
        """The contiguity guard: the part of a batch from the next expected offset on, or a gap.

        Faust still delivers what it had buffered before a rewind; without this, it would be applied.
        """
        state = shard.topics[topic]
        if batch.start > state.expected:
            return batch, True
        assigned.sought.pop(topic, None)
        if batch.start < state.expected:
            kept = [record for record in batch.records if record.offset >= state.expected]
            batch = Fetched(min(state.expected, batch.end), batch.end, kept)
        return batch, False

    async def _fold(
        self, assigned: AssignedShard, shard: Shard, topic: str, batch: Fetched
    ) -> None:
        if batch.records:
            decoded = parse_all([record.value for record in batch.records])
            people = await people_of(
                self._store, shard, decoded, lambda: assigned.shard is shard and not self.is_closing
            )
            # From here to the end nothing waits: other topics' batches cannot come between.
            if people is None or batch.start != shard.topics[topic].expected:
                return
            shard.apply(topic, batch.records, decoded, people, now_ms())
            self._judge(assigned, shard, topic, decoded)
        shard.skip(topic, batch.end)
        if len(shard.people.dirty) >= self._settings.limits.dirty_max:
            await self.checkpoint(assigned)

    def _judge(
        self, assigned: AssignedShard, shard: Shard, topic: str, decoded: list[Decoded]
    ) -> None:
        """Stop reading a topic whose records are nearly all rejected: no event is lost meanwhile."""
        settings = self._settings.ledger
        limit = assigned.limits.get(topic)
        if limit is None:
            limit = assigned.limits[topic] = RejectionLimit(settings.max_ratio, settings.min_events)
        rejected = sum(item.__class__ is RejectedEvent for item in decoded)
        if not limit.passed(len(decoded), rejected):
            assigned.halted.add(topic)
            self.problem = (
                f"{topic}[{shard.partition}]: more than {settings.max_ratio:.0%} of the last "
                f"{settings.min_events} records were rejected, reading has stopped. See the ledger "
                "topic for the reasons; mend the producer or raise ledger.max_ratio, then restart"
            )
            _log.error("%s", self.problem)

    async def _close_gap(self, assigned: AssignedShard, shard: Shard, topic: str) -> None:
        """Seek back to where a gap begins; one that is still there is what retention has deleted."""
        state = shard.topics[topic]
        tp = TP(topic, shard.partition)
        if assigned.sought.get(topic) == state.expected:
            first, _ = await self._log.bounds({tp})
            if first[tp] > state.expected:
                lost = first[tp] - max(state.next, state.expected)
                self.counts.retention_lost += max(lost, 0)
                _log.error(
                    "%s[%d]: %d records were deleted by retention before they were counted",
                    topic, shard.partition, lost,
                )  # fmt: skip
                shard.skip(topic, first[tp])
        assigned.sought[topic] = state.expected
        self.counts.rewinds += 1
        await self._log.rewind({tp: state.expected})
