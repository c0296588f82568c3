"""Owns the shards of this worker: takes assignments, moves time on, and hands out the work on them."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from faust.types import TP

from stream.kafka.fetch import Fetched
from stream.publish.log_identity import partitions_changed
from stream.publish.snapshot import HeavyPerson
from stream.settings.application import Settings
from stream.store.people_reader import close_some
from stream.store.shards import Store
from stream.worker.assigned_shard import AssignedShard, LoadedShard
from stream.worker.checkpoints import Checkpoints
from stream.worker.churn_scan import SendRisks, assess_some
from stream.worker.claims import Claims
from stream.worker.clock import now_ms
from stream.worker.dead_letters import DeadLetterSender
from stream.worker.errors import SHARD_IN_DOUBT
from stream.worker.intake import Intake
from stream.worker.loading import Loader
from stream.worker.log import Log
from stream.worker.process.event_loop import Turns
from stream.worker.rounds import Rounds, seconds_to_round
from stream.worker.staleness.holds import Holds
from stream.worker.status import OwnerCounts, OwnerStatus

_log = logging.getLogger(__name__)


class ShardOwner:
    """All shards of this worker. Everything runs in one event loop; a slice of folding never waits."""

    def __init__(
        self,
        settings: Settings,
        loader: Loader,
        store: Store,
        log: Log,
        dead_letters: DeadLetterSender,
        send_risks: SendRisks | None = None,
        status: OwnerStatus | None = None,
        verify: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`send_risks` publishes the churn risks of single people; None: they are not published.

        `verify` halts `status` if Kafka's log is no longer the one that is counted.
        """
        self._settings = settings
        self._store = store
        self._send_risks = send_risks
        self._status = status or OwnerStatus()
        self._verify = verify or _trust
        self._assignment_problem = "no partitions are assigned yet"
        self.assigned_shards: dict[int, AssignedShard] = {}
        self._claims = Claims(
            settings, self.assigned_shards, store, log, loader, dead_letters, self._status
        )
        self.rounds = Rounds()
        self._turns = Turns()
        self._checkpoints = Checkpoints(
            store, log, dead_letters, self._claims, self._status.counts, self._turns
        )
        self._intake = Intake(
            self.assigned_shards,
            store,
            self._claims,
            self._checkpoints,
            settings.limits.dirty_max,
            self._status,
            self._turns,
        )

    # ---- state, as pages and metrics show it

    @property
    def counts(self) -> OwnerCounts:
        """Counts since the worker started."""
        return self._status.counts

    @property
    def fatal(self) -> Exception | None:
        """The failure that no retry can mend; the worker exits with it."""
        return self._status.fatal

    @property
    def is_halted(self) -> bool:
        """Whether no shard is counted until the worker is started again."""
        return self._status.is_halted

    @property
    def reasons(self) -> Holds:
        """Reasons why this worker's numbers are not live."""
        return self._status.reasons

    @property
    def problem(self) -> str:
        """Why this worker does not count all its events; empty if it does."""
        holds = (one.text for one in self._status.reasons.stale)
        shards = (assigned.problem for assigned in self.assigned_shards.values())
        return next(
            filter(None, (self._status.problem, *holds, self._assignment_problem, *shards)), ""
        )

    def epoch(self, partition: int) -> int | None:
        """Return the epoch of the claim on a shard; None unless this worker holds it."""
        assigned = self.assigned_shards.get(partition)
        return assigned.claim.epoch if assigned and assigned.claim else None

    def heaviest(self) -> list[HeavyPerson]:
        """Return the person with the most events of each shard that has had enough of them."""
        now = now_ms()
        loaded = (assigned.loaded for assigned in self.assigned_shards.values())
        found = (one.heaviest.find(one.shard.partition, now) for one in loaded if one is not None)
        return [person for person in found if person is not None]

    # ---- work

    async def assigned(self, tps: set[TP]) -> Mapping[TP, int]:
        """Take over exactly these partitions; return where to read each from.

        Take a partition number only if it is assigned for every input topic. A shard without part of
        its people's events would count wrong.
        """
        self.counts.assignments += 1
        await self._verify()
        topics: dict[int, set[str]] = {}
        for tp in tps:
            topics.setdefault(tp.partition, set()).add(tp.topic)
        inputs = set(self._settings.topics.inputs)
        whole = sorted(partition for partition, found in topics.items() if found == inputs)
        partial = sorted(topics.keys() - set(whole))
        self._assignment_problem = ""
        if partial:
            self._assignment_problem = f"partitions {partial} are not assigned for all topics"
            _log.error(
                "%s and not read; check that all input topics have equal partition counts",
                self._assignment_problem,
            )
        for partition in self.assigned_shards.keys() - set(whole):
            self.assigned_shards.pop(partition).release()
        grown = max(topics, default=-1) + 1
        if grown > self._store.partitions:
            self._status.halt(partitions_changed(self._settings.app, self._store.partitions, grown))
        offsets: dict[TP, int] = {}
        for partition in whole:
            assigned = self.assigned_shards.setdefault(partition, AssignedShard(partition))
            offsets |= await self._claims.ensure(assigned)
        _log.info("this worker has partitions %s", whole)
        return offsets

    async def consume(self, topic: str, partition: int, batch: Fetched) -> None:
        """Fold one batch into its shard. Never raises."""
        await self._intake.consume(topic, partition, batch)

    async def run(self) -> None:
        """Store checkpoints for ever, one round each `publish.cut_seconds`."""
        interval = self._settings.publish.cut_seconds
        while True:
            await asyncio.sleep(seconds_to_round(interval, time.time()))
            await self._claims.follow_generation()
            await self._verify()
            await self.tick()
            self.rounds.stored()

    async def tick(self) -> None:
        """Move every shard on in time, close what is due, and store checkpoints."""
        work = self._halt if self._status.is_halted else self._tick
        await asyncio.gather(*map(work, list(self.assigned_shards.values())))

    async def finish(self) -> None:
        """Take no more batches and store the last checkpoints: the worker is about to stop."""
        self._status.is_closing = True
        await self._verify()
        # One that is being loaded has nothing to store, and its lock may be held for long.
        loaded = [one for one in self.assigned_shards.values() if one.loaded is not None]
        work = self._halt if self._status.is_halted else self._checkpoints.save
        await asyncio.gather(*map(work, loaded))

    async def _halt(self, assigned: AssignedShard) -> None:
        """Give up a shard whose log is another one; store what still belongs to its checkpoints."""
        if self._status.may_store:
            await self._checkpoints.save(assigned)
        assigned.give_up()

    async def _tick(self, assigned: AssignedShard) -> None:
        """Move one shard on: idle topics, due sessions, checkpoint, churn risks."""
        loaded = assigned.loaded
        if loaded is None:
            return
        loaded.idle.note()
        await loaded.stalls.look(loaded.rejections.halted)
        loaded.shard.advance()
        self._note_id_changes(loaded)
        try:
            await self._close_sessions(assigned, loaded)
        except SHARD_IN_DOUBT as error:
            self._claims.drop(assigned, loaded, error)
            return
        await self._checkpoints.save(assigned)
        await self._assess(assigned)

    def _note_id_changes(self, loaded: LoadedShard) -> None:
        """Count sessions and carts that went on under another person id; say so once."""
        sessions, carts = loaded.shard.id_changes.take_counts()
        if not sessions and not carts:
            return
        if not self.counts.sessions_across_ids and not self.counts.carts_across_ids:
            _log.warning(
                "shard %d: events of one session or cart carry different person ids, as after a log-in; "
                'their parts are counted apart. identity = "visitor" keeps them together. '
                "engagement_worker_sessions_across_ids_total counts those that one shard sees",
                loaded.shard.partition,
            )  # fmt: skip
        self.counts.sessions_across_ids += sessions
        self.counts.carts_across_ids += carts

    async def _close_sessions(self, assigned: AssignedShard, loaded: LoadedShard) -> None:
        shard, due = loaded.shard, 1
        while due and assigned.loaded is loaded:
            due = await close_some(self._store, shard)
            if shard.people.held >= self._settings.limits.dirty_max:
                await self._checkpoints.save(assigned)
            await self._turns.next()

    async def _assess(self, assigned: AssignedShard) -> None:
        """Assess the churn risk of some people, if an assessment is due."""
        loaded = assigned.loaded
        if loaded is None or loaded.shard.churn_risk is None or self._status.is_closing:
            return
        try:
            await assess_some(
                self._store, loaded.shard, self._send_risks, lambda: assigned.loaded is loaded
            )
        except SHARD_IN_DOUBT as error:
            self._claims.drop(assigned, loaded, error)


async def _trust() -> None:
    """Take the log for the one that is counted."""
