"""Takes batches into their shards: contiguity, people, folding, and the limit on rejections."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Mapping

from schemas.codec import parse_all
from stream.engine.record import Decoded, Record
from stream.kafka.fetch import Fetched
from stream.people.person import Person
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
#: Slices whose people are read at once, and the most records of them.
_SLICES_AHEAD, _RECORDS_AHEAD = 4, 1_024


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
            # Their people come in one answer of Redis.
            ahead = min(_SLICES_AHEAD * self._slices[topic].records, _RECORDS_AHEAD)
            part = records[position : position + ahead]
            position += len(part)
            if not await self._fold_part(assigned, loaded, topic, part):
                return
        loaded.shard.skip(topic, batch.end)

    async def _fold_part(
        self, assigned: AssignedShard, loaded: LoadedShard, topic: str, records: list[Record]
    ) -> bool:
        """Read the people of some records, and fold these; False: the shard is no longer to be read."""
        shard, state = loaded.shard, loaded.shard.topics[topic]
        COLLECTOR.before_slice()
        began = time.perf_counter()
        decoded = parse_all([record.value for record in records])
        decoding_seconds = (time.perf_counter() - began) / len(records)
        if records[-1].offset < state.next:
            # After taking over: to read people whose events are counted would take ten times as long.
            shard.recall(topic, records, decoded)
            self._slices[topic].note(len(records), time.perf_counter() - began)
            loaded.rejections.note(topic, decoded)
            return await self._pause(assigned, loaded, topic, records)
        while records:
            expected = state.expected
            people = await people_of(
                self._store, shard, decoded, lambda: self._is_wanted(assigned, loaded)
            )
            if people is None or state.expected != expected:
                return False
            rotations = shard.people.rotations
            while records and shard.people.keeps(rotations):
                number = self._slices[topic].records
                part = records[:number]
                self._apply(
                    loaded, topic, part, decoded[:number], people[:number], decoding_seconds
                )
                records, decoded, people = records[number:], decoded[number:], people[number:]
                if shard.people.held >= self._dirty_max:
                    await self._checkpoints.save(assigned)
                if not await self._pause(assigned, loaded, topic, part):
                    return False
        return True

    def _apply(
        self,
        loaded: LoadedShard,
        topic: str,
        records: list[Record],
        decoded: list[Decoded],
        people: list[Person | None],
        decoding_seconds: float,
    ) -> None:
        """Fold one slice; decoding a record took `decoding_seconds`."""
        began, now = time.perf_counter(), now_ms()
        loaded.shard.apply(topic, records, decoded, people, now)
        loaded.heaviest.note(people, now)
        COLLECTOR.after_slice()
        took = time.perf_counter() - began + decoding_seconds * len(records)
        self._slices[topic].note(len(records), took)
        loaded.rejections.note(topic, decoded)

    async def _pause(
        self, assigned: AssignedShard, loaded: LoadedShard, topic: str, folded: list[Record]
    ) -> bool:
        """Let others go on; return whether the records after `folded` are still to be read."""
        await self._turns.next()
        # Meanwhile the shard may have been given up, or its topic sought back.
        expected = loaded.shard.topics[topic].expected
        return self._is_wanted(assigned, loaded) and expected == folded[-1].offset + 1

    def _is_wanted(self, assigned: AssignedShard, loaded: LoadedShard) -> bool:
        status = self._status
        return assigned.loaded is loaded and not (status.is_closing or status.is_halted)
