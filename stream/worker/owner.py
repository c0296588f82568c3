"""Owns shards: claims them, feeds them batches, stores their cuts, and starts over on any doubt."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping

from aiokafka.errors import KafkaError
from faust.types import TP
from redis.exceptions import RedisError

from stream.counters.measures import Grain
from stream.engine.checkpoint import Checkpoint, is_due, settle_checkpoint, take_checkpoint
from stream.engine.rules import Rules
from stream.engine.shard import Shard
from stream.engine.watermark import log_lead
from stream.settings.application import Settings
from stream.store.shards import CheckpointRefusedError, ClaimRefusedError, Store
from stream.worker.assigned_shard import AssignedShard, Log, now_ms
from stream.worker.churn_scan import Tell, assess_some
from stream.worker.dead_letters import DeadLetterSender
from stream.worker.intake import SHARD_IS_LOST, BatchIntake
from stream.worker.loading import Loader
from stream.worker.people_reader import close_some

_log = logging.getLogger(__name__)
_COMMIT_SECONDS = 2.0
#: So long no batch of a topic comes, though the log has more and the broker answers, and it is sought
#: again. A slow worker pays for a needless one with fetching once more what the shard then knows.
STALLED_SECONDS = 30.0
_ANSWERS_MS = 10_000
_RETRY_SECONDS = (0.1, 0.3, 1.0, 3.0, 5.0)


class ShardOwner(BatchIntake):
    """All shards of this worker. Its methods run in one event loop; the folding itself never waits."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        grains: dict[str, tuple[Grain, ...]],
        store: Store,
        log: Log,
        dead_letters: DeadLetterSender,
        tell_risk: Tell | None = None,
    ) -> None:
        """`tell_risk` sends what is known of single people, where that is asked for."""
        self._dead_letters = dead_letters
        self._tell_risk = tell_risk
        super().__init__(settings, store, log)
        self._loader = Loader(settings, rules, grains, store, log)
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- partitions come and go

    async def assigned(self, tps: set[TP]) -> Mapping[TP, int]:
        """Take over exactly these partitions; where to read each from.

        A partition number is only taken when it is assigned for every input topic: a shard that sees
        part of its people's events would count wrong.
        """
        self.counts.assignments += 1
        wanted: dict[int, set[TP]] = {}
        for tp in tps:
            wanted.setdefault(tp.partition, set()).add(tp)
        topics = set(self._settings.topics.inputs)
        whole = {p for p, parts in wanted.items() if {tp.topic for tp in parts} == topics}
        self.problem = ""
        if len(whole) < len(wanted):
            self.problem = (
                f"partitions {sorted(wanted.keys() - whole)} are not assigned for all topics"
            )
            _log.error("%s: they are not read", self.problem)
        for partition in [p for p in self.assigned_shards if p not in whole]:
            self._release(self.assigned_shards.pop(partition))
        offsets: dict[TP, int] = {}
        for partition in sorted(whole):
            assigned = self.assigned_shards.setdefault(partition, AssignedShard(partition))
            async with assigned.lock:
                if not await self._is_current(assigned):
                    await self._take(assigned)
            offsets |= self._read_from(assigned)
        _log.info("partitions %s are mine", sorted(whole))
        return offsets

    async def _is_current(self, assigned: AssignedShard) -> bool:
        """Whether what is in memory is still what is stored, so that a rebalance need not reload it."""
        if assigned.shard is None or assigned.claim is None:
            return False
        try:
            stored = await self._store.owner(assigned.partition)
        except SHARD_IS_LOST:
            return False
        return stored == (self._store.owner_name, assigned.claim.epoch, assigned.position)

    async def _take(self, assigned: AssignedShard) -> None:
        """Claim and load a shard, trying until Redis answers."""
        assigned.ready.clear()
        assigned.shard = assigned.claim = None
        for attempt in range(1_000_000):
            try:
                self._store.generation = await self._store.live_generation()
                assigned.claim, assigned.shard = await self._loader.load(assigned.partition)
                await self._dead_letters.take_over(assigned.partition)
                self._note_beginning(assigned.claim.is_new, assigned.shard)
            except ClaimRefusedError as error:
                self.fatal, self.problem = error, str(error)
                raise
            except (RedisError, KafkaError, OSError, TimeoutError) as error:
                assigned.claim = assigned.shard = None
                self.counts.store_errors += 1
                self.problem = f"Redis or Kafka does not answer: {error}"
                if attempt == 0:
                    _log.warning(
                        "shard %d: cannot load, trying again: %s", assigned.partition, error
                    )
                await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
            else:
                self.problem = ""
                assigned.begin()
                return

    def _note_beginning(self, is_new: bool, shard: Shard) -> None:
        """A shard that begins where the log does not: after a loss of Redis, that is a gap."""
        missing = sum(state.start for state in shard.topics.values()) if is_new else 0
        if missing:
            self.counts.never_seen += missing
            _log.warning(
                "shard %d begins to count, and %d older records are gone from the log",
                shard.partition, missing,
            )  # fmt: skip

    def _read_from(self, assigned: AssignedShard) -> dict[TP, int]:
        if assigned.shard is None:
            return {}
        return {
            TP(topic, assigned.partition): state.expected
            for topic, state in assigned.shard.topics.items()
        }

    def _release(self, assigned: AssignedShard) -> None:
        assigned.shard = assigned.claim = None
        assigned.ready.set()  # Whoever waits for it finds that it is gone.

    # ---- time, cuts

    async def tick(self) -> None:
        """Tell every shard the time, close what is due, and store what has changed."""
        await asyncio.gather(
            *(self._tick(assigned) for assigned in list(self.assigned_shards.values()))
        )

    async def _tick(self, assigned: AssignedShard) -> None:
        shard = assigned.shard
        if shard is None:
            return
        self._note_drained(assigned, shard)
        await self._wake(assigned, shard)
        shard.advance()
        try:
            due = 1
            while due and assigned.shard is shard:
                due = await close_some(self._store, shard)
                if len(shard.people.dirty) >= self._settings.limits.dirty_max:
                    await self.checkpoint(assigned)
                await asyncio.sleep(0)
        except SHARD_IS_LOST as error:
            self.drop(assigned, shard, error)
            return
        await self.checkpoint(assigned)
        await self._assess(assigned)

    async def _assess(self, assigned: AssignedShard) -> None:
        """Look at the churn risk of some people, if that is due."""
        shard = assigned.shard
        if shard is None or shard.churn_risk is None or self.is_closing:
            return
        try:
            await assess_some(self._store, shard, self._tell_risk, lambda: assigned.shard is shard)
        except SHARD_IS_LOST as error:
            self.drop(assigned, shard, error)

    def _note_drained(self, assigned: AssignedShard, shard: Shard) -> None:
        idle_ms = round(self._settings.time.idle_seconds * 1000)
        assigned.idle_hold.note(log_lead(shard.topics), now_ms())
        for topic, state in shard.topics.items():
            end, seen_at = self._log.read_to(TP(topic, shard.partition))
            if end is None or seen_at is None or state.expected < max(end, state.next):
                assigned.drained_since.pop(topic, None)
                shard.drained(topic, 0)
                continue
            since = assigned.drained_since.setdefault(topic, seen_at)
            # The broker's last word counts, not now: while it is silent, there may be a backlog.
            drained_at = seen_at if seen_at - since >= idle_ms else 0
            shard.drained(topic, drained_at, assigned.idle_hold.followed(drained_at))

    async def _wake(self, assigned: AssignedShard, shard: Shard) -> None:
        """Read again what was lost between Kafka and the shard, and behind which nothing follows.

        Whatever follows shows the gap; without it, nothing else would.
        """
        now = time.monotonic()
        for topic, state in shard.topics.items():
            tp = TP(topic, shard.partition)
            end, seen_at = self._log.read_to(tp)
            is_here = end is None or seen_at is None or state.expected >= end
            if is_here or topic in assigned.halted or now_ms() - (seen_at or 0) > _ANSWERS_MS:
                assigned.stalled.pop(topic, None)
                continue
            at, since = assigned.stalled.get(topic, (-1, now))
            if at != state.expected:
                assigned.stalled[topic] = state.expected, now
            elif now - since >= STALLED_SECONDS:
                assigned.stalled[topic] = state.expected, now
                self.counts.rewinds += 1
                _log.warning(
                    "%s[%d]: nothing has come for %.0f s after offset %d, though the log goes on to "
                    "%d; it is read again from there", topic, shard.partition, now - since, at, end,
                )  # fmt: skip
                with contextlib.suppress(*SHARD_IS_LOST):
                    await self._log.rewind({tp: state.expected})

    async def checkpoint(self, assigned: AssignedShard) -> None:
        """Store what has changed since the last cut."""
        async with assigned.lock:
            shard, claim = assigned.shard, assigned.claim
            if shard is None or claim is None:
                return
            if not is_due(shard, assigned.position, assigned.stored_watermark):
                return
            checkpoint = take_checkpoint(shard, assigned.position)
            began = time.perf_counter()
            try:
                await self._store.store(claim, checkpoint)
            except SHARD_IS_LOST as error:
                self.drop(assigned, shard, error)
                return
            settle_checkpoint(shard)
            assigned.position, assigned.stored_watermark = checkpoint.reached, shard.watermark
            self.counts.checkpoints += 1
            self.counts.checkpoint_seconds_sum += time.perf_counter() - began
        if checkpoint.dead_letters:
            self._dead_letters.put(
                checkpoint.partition, checkpoint.sequence, checkpoint.dead_letters
            )
        await self._acknowledge(checkpoint)

    async def _acknowledge(self, checkpoint: Checkpoint) -> None:
        """After the cut, never before it."""
        offsets = {
            TP(topic, checkpoint.partition): offset for topic, offset in checkpoint.offsets.items()
        }
        # A courtesy: a broker that does not answer must not hold up the next cut.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._log.commit(offsets), _COMMIT_SECONDS)

    def drop(self, assigned: AssignedShard, shard: Shard, error: Exception) -> None:
        """Throw a shard's memory away and, unless it is gone by then, reclaim it from the last cut."""
        if assigned.shard is not shard:
            return
        assigned.ready.clear()
        assigned.shard = assigned.claim = None
        answer = error.answer if isinstance(error, CheckpointRefusedError) else ""
        self.counts.fenced += answer == "FENCED"
        self.counts.conflicts += answer == "CONFLICT"
        self.counts.state_lost += answer == "LOST"
        self.counts.store_errors += not answer
        _log.warning("shard %d is read again from its last cut: %s", assigned.partition, error)
        # Fenced: somebody else was given the partition. If it stays ours, nobody will tell us again.
        wait = float(self._settings.kafka.session_timeout_seconds) if answer == "FENCED" else 0.1
        task = asyncio.get_running_loop().create_task(self._reclaim(assigned, wait))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def follow_generation(self) -> None:
        """Go on in another generation of the state when a backfill has made it the live one."""
        with contextlib.suppress(*SHARD_IS_LOST):
            if await self._store.live_generation() != self._store.generation:
                for assigned in list(self.assigned_shards.values()):
                    if assigned.shard is not None:
                        self.drop(
                            assigned,
                            assigned.shard,
                            CheckpointRefusedError(assigned.partition, "REPLACED"),
                        )

    async def _reclaim(self, assigned: AssignedShard, wait_seconds: float) -> None:
        await asyncio.sleep(wait_seconds)
        async with assigned.lock:
            if (
                self.assigned_shards.get(assigned.partition) is not assigned
                or assigned.shard is not None
            ):
                return
            try:
                await self._take(assigned)
            except ClaimRefusedError:
                return
            # Before any batch is folded: what is on its way begins behind a gap and is dropped.
            await self._log.rewind(self._read_from(assigned))

    async def finish(self) -> None:
        """Store everything once more: the partitions are about to go, or the worker."""
        await asyncio.gather(
            *(self.checkpoint(assigned) for assigned in list(self.assigned_shards.values()))
        )
