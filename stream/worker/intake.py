"""Takes batches into their shards: contiguity, people, folding, and the limit on rejections."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Mapping

from schemas.codec import parse_all
from stream.engine.record import Record
from stream.kafka.fetch import Fetched
from stream.store.people_reader import people_of
from stream.store.shards import Store
from stream.worker.assigned_shard import AssignedShard, LoadedShard
from stream.worker.checkpoints import Checkpoints
from stream.worker.claims import Claims
from stream.worker.clock import now_ms
from stream.worker.errors import SHARD_IN_DOUBT
from stream.worker.process.event_loop import SliceSize, Turns
from stream.worker.process.garbage import COLLECTOR
from stream.worker.status import OwnerStatus

_log = logging.getLogger(__name__)
_HALTED_SECONDS = 1.0


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
        turns: Turns,
    ) -> None:
        self._shards = shards
        self._store = store
        self._claims = claims
        self._checkpoints = checkpoints
        self._dirty_max = dirty_max
        self._status = status
        self._slices: defaultdict[str, SliceSize] = defaultdict(SliceSize)
        self._turns = turns

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
        """Fold a batch slice by slice. Between two slices the shard is whole, and may be stored."""
        records, position = batch.records, 0
        while position < len(records):
            part = records[position : position + self._slices[topic].records]
            position += len(part)
            if not await self._fold_slice(assigned, loaded, topic, part):
                return
            await self._turns.next()
            # Meanwhile the shard may have been given up, or its topic sought back.
            expected = loaded.shard.topics[topic].expected
            if not self._is_wanted(assigned, loaded) or expected != part[-1].offset + 1:
                return
        loaded.shard.skip(topic, batch.end)

    async def _fold_slice(
        self, assigned: AssignedShard, loaded: LoadedShard, topic: str, records: list[Record]
    ) -> bool:
        """Fold some records; return False, with nothing folded, if the shard is no longer to be read."""
        shard = loaded.shard
        expected = shard.topics[topic].expected
        began = time.perf_counter()
        COLLECTOR.before_slice()
        decoded = parse_all([record.value for record in records])
        if records[-1].offset < shard.topics[topic].next:
            # After taking over: to read people whose events are counted would take ten times as long.
            shard.recall(topic, records, decoded)
            self._slices[topic].note(len(records), time.perf_counter() - began)
            loaded.rejections.note(topic, decoded)
            return True
        decoding_seconds = time.perf_counter() - began
        people = await people_of(
            self._store, shard, decoded, lambda: self._is_wanted(assigned, loaded)
        )
        # Nothing waits from here on, so no batch of another topic comes between.
        if people is None or shard.topics[topic].expected != expected:
            return False
        began = time.perf_counter() - decoding_seconds
        now = now_ms()
        shard.apply(topic, records, decoded, people, now)
        loaded.heaviest.note(people, now)
        COLLECTOR.after_slice()
        self._slices[topic].note(len(records), time.perf_counter() - began)
        loaded.rejections.note(topic, decoded)
        if shard.people.held >= self._dirty_max:
            await self._checkpoints.save(assigned)
        return True

    def _is_wanted(self, assigned: AssignedShard, loaded: LoadedShard) -> bool:
        status = self._status
        return assigned.loaded is loaded and not (status.is_closing or status.is_halted)
