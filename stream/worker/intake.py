"""Takes batches into their shards: contiguity, people, folding, and the limit on rejections."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from schemas.codec import parse_all
from stream.kafka.fetch import Fetched
from stream.store.shards import Store
from stream.worker.assigned_shard import AssignedShard, LoadedShard
from stream.worker.checkpoints import Checkpoints
from stream.worker.claims import Claims
from stream.worker.clock import now_ms
from stream.worker.errors import SHARD_IN_DOUBT
from stream.worker.people_reader import people_of
from stream.worker.status import OwnerStatus

_log = logging.getLogger(__name__)
_HALTED_SECONDS = 1.0

#: Asks Kafka whether its log is still the one that is counted.
Verify = Callable[[], Awaitable[None]]


class Intake:
    """Folds each batch into the shard of its partition, or drops it when the shard is gone."""

    def __init__(
        self,
        shards: Mapping[int, AssignedShard],
        store: Store,
        claims: Claims,
        checkpoints: Checkpoints,
        dirty_max: int,
        status: OwnerStatus,
        verify: Verify,
    ) -> None:
        self._shards = shards
        self._store = store
        self._claims = claims
        self._checkpoints = checkpoints
        self._dirty_max = dirty_max
        self._status = status
        self._verify = verify

    async def consume(self, topic: str, partition: int, batch: Fetched) -> None:
        """Fold one batch. Never raises: a shard in doubt starts over, a defect ends the worker."""
        await self._while_halted()
        assigned = self._shards.get(partition)
        if assigned is None or self._status.is_closing:
            self._status.counts.batches_dropped += 1
            return
        loaded = await self._readable(assigned, topic)
        if loaded is None or self._shards.get(partition) is not assigned:
            self._status.counts.batches_dropped += 1
            return
        try:
            if batch.start < loaded.shard.topics[topic].expected:
                # Records again that were folded: after a seek, or those of another log.
                await self._verify()
                if self._status.is_halted or assigned.loaded is not loaded:
                    return
            aligned = loaded.guard.align(topic, batch)
            if aligned is None:
                await loaded.guard.close_gap(topic)
            else:
                await self._fold(assigned, loaded, topic, aligned)
        except SHARD_IN_DOUBT as error:
            self._claims.drop(assigned, loaded, error)
        except Exception as error:  # noqa: BLE001
            # A defect. The shard is half folded and must never be stored. The worker ends; the next
            # one starts from the last checkpoint.
            _log.exception(
                "%s[%d]: the batch at %d cannot be folded", topic, partition, batch.start
            )
            assigned.release()
            self._status.fail(error, f"a defect: {error!r}")

    async def _while_halted(self) -> None:
        """Keep a batch waiting, so that no more are fetched, once counting has stopped."""
        while self._status.is_halted and not self._status.is_closing:  # noqa: ASYNC110
            await asyncio.sleep(_HALTED_SECONDS)

    async def _readable(self, assigned: AssignedShard, topic: str) -> LoadedShard | None:
        """Wait until a shard takes batches of a topic; None if it was given up meanwhile."""
        await assigned.ready.wait()
        loaded = assigned.loaded
        while loaded is not None and topic in loaded.rejections.halted:
            await asyncio.sleep(_HALTED_SECONDS)
            if assigned.loaded is not loaded:
                return None
        return loaded

    async def _fold(
        self, assigned: AssignedShard, loaded: LoadedShard, topic: str, batch: Fetched
    ) -> None:
        shard = loaded.shard
        if batch.records:
            decoded = parse_all([record.value for record in batch.records])
            people = await people_of(
                self._store, shard, decoded, lambda: self._is_wanted(assigned, loaded)
            )
            # Nothing waits from here to the end, so no batch of another topic comes between.
            if people is None or batch.start != shard.topics[topic].expected:
                return
            shard.apply(topic, batch.records, decoded, people, now_ms())
            loaded.rejections.note(topic, decoded)
        shard.skip(topic, batch.end)
        if len(shard.people.dirty) >= self._dirty_max:
            await self._checkpoints.save(assigned)

    def _is_wanted(self, assigned: AssignedShard, loaded: LoadedShard) -> bool:
        return assigned.loaded is loaded and not self._status.is_closing
