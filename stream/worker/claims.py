"""Claims shards and loads them; on any doubt gives a shard up and claims it again."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping

from faust.types import TP

from stream.engine.shard import Shard
from stream.publish.staleness import StaleReason
from stream.settings.application import Settings
from stream.store.shards import (
    CheckpointRefusedError,
    Claim,
    ClaimRefusedError,
    OtherLogError,
    Store,
)
from stream.worker.assigned_shard import AssignedShard, LoadedShard
from stream.worker.contiguity import ContiguityGuard
from stream.worker.dead_letters import DeadLetterSender
from stream.worker.errors import SHARD_IN_DOUBT, UNREACHABLE
from stream.worker.loading import Loader
from stream.worker.log import Log
from stream.worker.rejection_limit import RejectionLimit
from stream.worker.staleness.lost_state import LostState
from stream.worker.staleness.rebuilding import is_behind
from stream.worker.status import OwnerStatus
from stream.worker.watch.topics import IdleWatch, StallWatch

_log = logging.getLogger(__name__)
_RETRY_SECONDS = (0.1, 0.3, 1.0, 3.0, 5.0)


class Claims:
    """Moves a shard between Redis and memory. `shards` are those assigned to this worker."""

    def __init__(
        self,
        settings: Settings,
        shards: Mapping[int, AssignedShard],
        store: Store,
        log: Log,
        loader: Loader,
        dead_letters: DeadLetterSender,
        status: OwnerStatus,
    ) -> None:
        self._settings = settings
        self._shards = shards
        self._store = store
        self._log = log
        self._loader = loader
        self._dead_letters = dead_letters
        self._status = status
        self._lost = LostState(store, log, status.counts)
        self._tasks: set[asyncio.Task[None]] = set()

    async def ensure(self, assigned: AssignedShard) -> Mapping[TP, int]:
        """Load a shard unless memory holds what is stored; return where to read each topic from.

        Raises ClaimRefusedError if the stored state does not fit this worker.
        """
        async with assigned.lock:
            if not await self._is_current(assigned):
                await self._load(assigned)
        # Empty if counting has stopped: batches then wait.
        return _read_from(assigned)

    def drop(self, assigned: AssignedShard, loaded: LoadedShard, error: Exception) -> None:
        """Give up a shard whose memory may differ from Redis, and load it again soon."""
        if assigned.loaded is not loaded:
            return
        assigned.give_up()
        assigned.given_up_at = time.monotonic()
        answer = error.answer if isinstance(error, CheckpointRefusedError) else ""
        self._status.counts.note_lost_shard(answer)
        _log.warning(
            "shard %d: starting over from its last checkpoint: %s",
            assigned.partition, error, extra={"shard": assigned.partition},
        )  # fmt: skip
        # Fenced: another worker was given the partition, and a rebalance follows. If none comes within
        # the session timeout, the partition is still this worker's.
        fenced_seconds = float(self._settings.kafka.session_timeout_seconds)
        wait_seconds = fenced_seconds if answer == "FENCED" else 0.1
        task = asyncio.get_running_loop().create_task(self._reclaim(assigned, wait_seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def follow_generation(self) -> None:
        """Load every shard again if a backfill has made another generation of the state live."""
        with contextlib.suppress(*SHARD_IN_DOUBT):
            if await self._store.live_generation() == self._store.generation:
                return
            if self._status.is_halted:
                text = "everything was counted again: start the worker again to go on from there"
                self._status.fail(ClaimRefusedError(text), text)
            for assigned in list(self._shards.values()):
                if assigned.loaded is not None:
                    replaced = CheckpointRefusedError(assigned.partition, "REPLACED")
                    self.drop(assigned, assigned.loaded, replaced)

    async def _is_current(self, assigned: AssignedShard) -> bool:
        """Return whether memory holds what is stored, so that a rebalance need not load it again."""
        loaded = assigned.loaded
        if loaded is None:
            return False
        try:
            stored = await self._store.owner(assigned.partition)
        except SHARD_IN_DOUBT:
            return False
        return stored == (self._store.owner_name, loaded.claim.epoch, loaded.position)

    async def _load(self, assigned: AssignedShard) -> None:
        """Claim and load a shard, trying until Redis and Kafka answer or its partition is revoked.

        A worker that stops claims none: the next owner would be fenced.
        """
        assigned.give_up()
        attempt = 0
        while self._is_awaited(assigned):
            began = time.monotonic()
            try:
                self._store.generation = await self._store.live_generation()
                claim, shard = await self._loader.load(assigned.partition)
                await self._lost.note(assigned, claim, shard)
                await self._dead_letters.take_over(assigned.partition)
            except OtherLogError as error:
                self._status.halt(error.mismatch)
            except ClaimRefusedError as error:
                self._status.fail(error, str(error))
                raise
            except UNREACHABLE as error:
                self._status.counts.store_errors += 1
                assigned.load_problem = f"Redis or Kafka does not answer: {error}"
                # A shard that was given up has its line already, and so has its return.
                if attempt == 0 and not assigned.given_up_at:
                    _log.warning(
                        "shard %d: cannot be loaded, trying again; check redis.url and "
                        "kafka.bootstrap_servers: %s",
                        assigned.partition, error, extra={"shard": assigned.partition},
                    )  # fmt: skip
                await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
                attempt += 1
            else:
                self._note_missing(claim, shard)
                self._log_loaded(assigned, shard, time.monotonic() - began)
                if not self._status.is_halted:
                    assigned.begin(self._watched(assigned, claim, shard))
                if shard.is_recount and is_behind(shard):
                    # At once: it may be over before anybody looks.
                    text = f"shard {shard.partition} is counted again from Kafka"
                    self._status.reasons.hold(StaleReason.SHARDS_REBUILDING, text)

    def _is_awaited(self, assigned: AssignedShard) -> bool:
        is_assigned = self._shards.get(assigned.partition) is assigned
        is_stopped = self._status.is_closing or self._status.is_halted
        return is_assigned and assigned.loaded is None and not is_stopped

    def _watched(self, assigned: AssignedShard, claim: Claim, shard: Shard) -> LoadedShard:
        log = self._log
        guard = ContiguityGuard(shard, log, self._status.counts)
        idle_ms = round(self._settings.time.idle_seconds * 1000)
        return LoadedShard(
            shard=shard,
            claim=claim,
            guard=guard,
            rejections=RejectionLimit(assigned.partition, self._settings.ledger),
            idle=IdleWatch(shard, log, idle_ms, assigned.idle_hold),
            stalls=StallWatch(shard, log, guard),
            position=claim.position,
            stored_watermark=shard.watermark,
        )

    def _log_loaded(self, assigned: AssignedShard, shard: Shard, seconds: float) -> None:
        if assigned.given_up_at:
            _log.info(
                "shard %d: loaded again after %.1f s",
                assigned.partition, time.monotonic() - assigned.given_up_at,
                extra={"shard": assigned.partition},
            )  # fmt: skip
            return
        again = sum(topic.next - topic.expected for topic in shard.topics.values())
        # Not a line for each shard at every start.
        is_worth_a_line = again > 0 or seconds >= 1
        _log.log(
            logging.INFO if is_worth_a_line else logging.DEBUG,
            "shard %d: loaded in %.2f s; %d records are read again for their ids",
            assigned.partition, seconds, again, extra={"shard": assigned.partition},
        )  # fmt: skip

    def _note_missing(self, claim: Claim, shard: Shard) -> None:
        """Report a new shard whose log begins late: after a loss of Redis, that is a gap."""
        missing = sum(state.start for state in shard.topics.values()) if claim.is_new else 0
        if missing:
            self._status.counts.never_seen += missing
            _log.warning(
                "shard %d: counting begins, and retention has deleted %d older records",
                shard.partition, missing,
            )  # fmt: skip

    async def _reclaim(self, assigned: AssignedShard, wait_seconds: float) -> None:
        await asyncio.sleep(wait_seconds)
        async with assigned.lock:
            if self._shards.get(assigned.partition) is not assigned or assigned.loaded is not None:
                return
            try:
                await self._load(assigned)
            except ClaimRefusedError:
                return
            # Before any batch is folded: batches on their way begin behind a gap and are dropped.
            await self._log.rewind(_read_from(assigned))


def _read_from(assigned: AssignedShard) -> dict[TP, int]:
    if assigned.loaded is None:
        return {}
    return {
        TP(topic, assigned.partition): state.expected
        for topic, state in assigned.loaded.shard.topics.items()
    }
