"""Stores the checkpoints of loaded shards; a refused one makes its shard start over."""

import asyncio
import contextlib
import time

from faust.types import TP

from stream.engine.checkpoint import Checkpoint, is_due, settle_checkpoint, take_checkpoint
from stream.store.shards import Store
from stream.worker.assigned_shard import AssignedShard
from stream.worker.claims import Claims
from stream.worker.dead_letters import DeadLetterSender
from stream.worker.errors import SHARD_IN_DOUBT
from stream.worker.log import Log
from stream.worker.process.event_loop import Turns
from stream.worker.status import OwnerCounts

_COMMIT_SECONDS = 2.0


class Checkpoints:
    """Writes one checkpoint of a shard at a time, then passes on its dead letters and offsets."""

    def __init__(
        self,
        store: Store,
        log: Log,
        dead_letters: DeadLetterSender,
        claims: Claims,
        counts: OwnerCounts,
        turns: Turns,
    ) -> None:
        self._store = store
        self._log = log
        self._dead_letters = dead_letters
        self._claims = claims
        self._counts = counts
        self._turns = turns

    async def save(self, assigned: AssignedShard) -> None:
        """Store what has changed since the last checkpoint. Drops the shard if that fails."""
        async with assigned.lock:
            # To encode one takes as long as many slices, and all shards store at the same time.
            await self._turns.next()
            loaded = assigned.loaded
            if loaded is None:
                return
            if not is_due(loaded.shard, loaded.position, loaded.stored_watermark):
                return
            checkpoint = take_checkpoint(loaded.shard, loaded.position)
            began = time.perf_counter()
            try:
                await self._store.store(loaded.claim, checkpoint)
            except SHARD_IN_DOUBT as error:
                self._claims.drop(assigned, loaded, error)
                return
            settle_checkpoint(loaded.shard)
            loaded.position = checkpoint.reached
            assigned.reached = self._store.generation, checkpoint.offsets
            loaded.stored_watermark = loaded.shard.watermark
            self._counts.checkpoints += 1
            self._counts.checkpoint_seconds_sum += time.perf_counter() - began
        if checkpoint.dead_letters:
            self._dead_letters.put(
                checkpoint.partition, checkpoint.sequence, checkpoint.dead_letters
            )
        await self._commit(checkpoint)

    async def _commit(self, checkpoint: Checkpoint) -> None:
        """Commit the offsets to Kafka: after the checkpoint is stored, never before."""
        offsets = {
            TP(topic, checkpoint.partition): offset for topic, offset in checkpoint.offsets.items()
        }
        # Only lag tools read them: a silent broker must not hold up the next checkpoint.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._log.commit(offsets), _COMMIT_SECONDS)
