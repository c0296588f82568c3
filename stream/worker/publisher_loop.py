"""The publishing loop: the owner of shard 0 renews the snapshot and sends records; all others read it."""

import asyncio
import logging
import time
from collections.abc import Sequence

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from stream.configure.fingerprints import fingerprints
from stream.engine.rules import Rules
from stream.kafka.producer import BatchProducer
from stream.metrics import proportions
from stream.metrics.metric import Metric
from stream.metrics.themes.goals import has_experiment
from stream.publish.snapshot import Snapshot, decode_snapshot, encode_snapshot
from stream.settings.application import Settings
from stream.store.published import FencedError, PublishedState
from stream.worker.assigned_shard import now_ms
from stream.worker.owner import ShardOwner
from stream.worker.publisher import Publisher
from stream.worker.record_sender import RecordSender
from stream.worker.telemetry import Telemetry

_log = logging.getLogger(__name__)


class PublisherLoop:
    """Runs in every worker; `snapshot` is what /metrics shows."""

    def __init__(
        self,
        settings: Settings,
        state: PublishedState,
        metrics: Sequence[Metric],
        rules: Rules,
        definition: str,
        owner: ShardOwner,
        producer: BatchProducer,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._state = state
        self._metrics = metrics
        self._rules = rules
        self._definition = definition
        self._owner = owner
        self._records = RecordSender(producer, settings.topics.metrics, telemetry)
        self._telemetry = telemetry
        self._publisher: Publisher | None = None
        self._records_at = 0.0
        self._generation = ""
        self.snapshot: Snapshot | None = None

    async def run(self) -> None:
        """Once an interval, for ever."""
        try:
            await self._run()
        finally:
            await self._records.stop()

    async def _run(self) -> None:
        interval = self._settings.publish.snapshot_seconds
        while True:
            began = time.monotonic()
            try:
                await self._turn()
            except FencedError as error:
                _log.info("%s", error)
                await self._leave()
            except (RedisError, KafkaError, OSError, TimeoutError) as error:
                # What was sent and not acknowledged is sent again by the next publisher: this one,
                # with nothing in its memory.
                _log.warning("not published: %s", error)
                self._telemetry.snapshot_failures += 1
                await self._leave()
            await asyncio.sleep(max(interval - (time.monotonic() - began), 0.05))

    def snapshot_age_seconds(self) -> float | None:
        """Age of what /metrics shows; None before the first."""
        return None if self.snapshot is None else time.time() - self.snapshot.taken_ms / 1000

    async def _turn(self) -> None:
        first = self._owner.assigned_shards.get(0)
        if first is None or first.shard is None or first.claim is None:
            await self._leave()
            raw = await self._state.snapshot()
            if raw is not None:
                self.snapshot = decode_snapshot(raw)
            return
        epoch = first.claim.epoch
        if self._generation != self._state.generation:
            # Counted anew: everything is published once more.
            await self._leave()
            self._generation = self._state.generation
        if self._publisher is None:
            if has_experiment(self._settings):
                await asyncio.to_thread(proportions.load)  # It takes seconds.
            compare = self._settings.publish.compare
            self._publisher = Publisher(
                self._state, self._metrics, self._rules, self._definition, compare
            )
            await self._state.note_definitions(fingerprints(self._settings), now_ms())
        publisher = self._publisher
        async with self._records.counts_lock:
            snapshot = await publisher.refresh(now_ms())
        self._note_latency(snapshot)
        self.snapshot = snapshot
        due = None
        since = time.monotonic() - self._records_at
        if not self._records.is_busy() and since >= self._settings.publish.records_seconds:
            due = publisher.due_records(snapshot)
            self._records_at = time.monotonic()
        assert publisher.progress is not None
        # Before the records: it reserves their revision, or finds that somebody else publishes.
        await self._state.publish(epoch, publisher.progress, encode_snapshot(snapshot))
        if due is not None:
            self._records.begin(publisher, snapshot, due)

    async def _leave(self) -> None:
        """Forget what was published: the next publisher reads how far records are acknowledged."""
        self._publisher = None
        await self._records.stop()

    def _note_latency(self, snapshot: Snapshot) -> None:
        """Only while new events keep coming, and live ones: a replay's are old by intention."""
        before = self.snapshot
        if before is not None and snapshot.newest_ms > before.newest_ms:
            delay = (snapshot.taken_ms - snapshot.newest_ms) / 1000
            if 0 <= delay < self._settings.time.allowed_lateness_seconds:
                self._telemetry.latency.observe(delay)
