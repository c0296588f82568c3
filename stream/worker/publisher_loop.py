"""The publishing loop: the owner of shard 0 renews the snapshot and sends records; others read it."""

import asyncio
import logging
import time
from collections.abc import Callable

from aiokafka.errors import KafkaError
from msgspec.structs import replace
from redis.exceptions import RedisError

from stream.configure.fingerprints import fingerprints
from stream.metrics import proportions
from stream.metrics.themes.goals import has_experiment
from stream.publish.snapshot import Snapshot, decode_snapshot, encode_snapshot
from stream.settings.application import Settings
from stream.store.published import FencedError, PublishedState
from stream.worker.clock import now_ms
from stream.worker.errors import UNREACHABLE
from stream.worker.publisher import Publisher
from stream.worker.record_sender import RecordSender
from stream.worker.rounds import Rounds
from stream.worker.staleness.shared import SharedReasons
from stream.worker.telemetry import Telemetry

_log = logging.getLogger(__name__)
#: Longest wait before records that failed are sent again.
_RECORDS_WAIT_SECONDS = 60.0


class PublisherLoop:
    """Runs in every worker; `snapshot` is what /metrics shows."""

    def __init__(
        self,
        settings: Settings,
        state: PublishedState,
        new_publisher: Callable[[], Publisher],
        records: RecordSender,
        epoch: Callable[[], int | None],
        telemetry: Telemetry,
        shared: SharedReasons,
        rounds: Rounds,
    ) -> None:
        """`epoch` returns the epoch of shard 0; None while another worker owns it."""
        self._settings = settings
        self._state = state
        self._new_publisher = new_publisher
        self._records = records
        self._epoch = epoch
        self._telemetry = telemetry
        self._publisher: Publisher | None = None
        self._generation = ""
        self._is_failing = False
        self._shared = shared
        self._rounds = rounds
        #: When records were looked for last, in monotonic seconds.
        self._records_at = 0.0
        self._records_seconds = settings.publish.records_seconds
        self.snapshot: Snapshot | None = None

    async def run(self) -> None:
        """Publish or read once an interval, for ever."""
        try:
            while True:
                began, round_number = time.monotonic(), self._rounds.number
                await self._turn()
                await self._wait(began, round_number)
        finally:
            await self._records.stop()

    def snapshot_age_seconds(self) -> float | None:
        """Return the age of `snapshot`; None before the first."""
        return None if self.snapshot is None else time.time() - self.snapshot.taken_ms / 1000

    async def _turn(self) -> None:
        try:
            epoch = self._epoch()
            if epoch is None:
                await self._read()
            else:
                await self._publish(await self._current_publisher(), epoch)
        except FencedError as error:
            _log.info("%s; this worker reads the snapshot from now on", error)
            await self._retire()
        except UNREACHABLE as error:
            # Records that Kafka did not acknowledge are sent again by the next publisher: by this
            # worker, with nothing in memory. The loss of Redis has a line of its own.
            if not self._is_failing and not isinstance(error, RedisError):
                _log.warning("not published, trying again; check Kafka: %s", error)
            self._is_failing = True
            if isinstance(error, KafkaError):
                # A new publisher reads everything; a topic that refuses does so for minutes.
                self._records_seconds = min(2 * self._records_seconds, _RECORDS_WAIT_SECONDS)
            self._telemetry.snapshot_failures += 1
            await self._retire()

    async def _wait(self, began: float, round_number: int) -> None:
        """Wait for the next turn: just after a round of checkpoints, if there is one each interval.

        A turn at any other moment would show numbers that are up to a round older.
        """
        publish = self._settings.publish
        interval, cut = publish.snapshot_seconds, publish.cut_seconds
        follows = cut <= interval
        # Half a round early: rounds are not apart exactly.
        pause = interval - cut / 2 if follows else interval
        await asyncio.sleep(max(pause - (time.monotonic() - began), 0.05))
        if follows:
            await self._rounds.after(round_number, cut)

    async def _read(self) -> None:
        """Read the snapshot that another worker has published."""
        await self._retire()
        self._shared.forget()
        raw = await self._state.snapshot()
        self._is_failing = False
        if raw is not None:
            self.snapshot = decode_snapshot(raw)

    async def _current_publisher(self) -> Publisher:
        """Return the publisher; a new one after a change of owner or of the state's generation."""
        if self._generation != self._state.generation:
            # A backfill has counted everything again, so everything is published again.
            await self._retire()
            self._shared.forget()
            self._generation = self._state.generation
        if self._publisher is None:
            if has_experiment(self._settings):
                await asyncio.to_thread(proportions.load)  # The import takes seconds.
            self._publisher = self._new_publisher()
            await self._state.note_definitions(fingerprints(self._settings), now_ms())
        return self._publisher

    async def _publish(self, publisher: Publisher, epoch: int) -> None:
        async with self._records.counts_lock:
            snapshot = await publisher.refresh(now_ms())
        stale = await self._shared.look(publisher.incomplete)
        snapshot = replace(snapshot, stale=stale, heaviest=self._shared.heaviest)
        due = None
        since = time.monotonic() - self._records_at
        is_time = since >= self._records_seconds
        is_busy = self._records.is_busy()
        if is_busy and not publisher.may_send:
            # Its records would be made of what is left. The next publisher sends them again.
            await self._retire()
            return
        if is_time and not is_busy and publisher.may_send:
            due = publisher.due_records(snapshot)
            self._records_at = time.monotonic()
        assert publisher.progress is not None
        # Before the records: this reserves their revision, or finds another publisher.
        await self._state.publish(epoch, publisher.progress, encode_snapshot(snapshot))
        # After it: what an emptied Redis refuses is not shown either.
        self._note_latency(snapshot)
        self.snapshot = snapshot
        if due is not None:
            self._records.begin(due, lambda: self._acknowledged(publisher, snapshot))

    def _acknowledged(self, publisher: Publisher, snapshot: Snapshot) -> None:
        publisher.acknowledged(snapshot)
        self._is_failing = False
        self._records_seconds = self._settings.publish.records_seconds

    async def _retire(self) -> None:
        """Discard the publisher; the next one reads from Redis which records are acknowledged."""
        self._publisher = None
        await self._records.stop()

    def _note_latency(self, snapshot: Snapshot) -> None:
        """Measure only new events that are live: those of a replay are old by intention."""
        before = self.snapshot
        if before is not None and snapshot.newest_ms > before.newest_ms:
            delay = (snapshot.taken_ms - snapshot.newest_ms) / 1000
            if 0 <= delay < self._settings.time.allowed_lateness_seconds:
                self._telemetry.latency.observe(delay)
