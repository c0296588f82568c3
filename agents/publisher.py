"""The publishing loop: the owner of shard 0 renews the snapshot and sends records; all others read it."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from schemas.outputs import MetricRecord, encode_record, record_key
from stream.fingerprints import fingerprints
from stream.metrics.metric import Metric
from stream.outgoing import Outgoing
from stream.owned import now_ms
from stream.owner import Owner
from stream.published import FencedError, PublishedState
from stream.publishing import Publisher
from stream.rules import Rules
from stream.settings import Settings
from stream.snapshot import Snapshot, decode_snapshot, encode_snapshot
from stream.telemetry import Telemetry

_log = logging.getLogger(__name__)


#: How long the event loop may be kept from everything else.
_SLICE_SECONDS = 0.02


async def _gathered(parts: Iterator[list[MetricRecord]]) -> list[MetricRecord]:
    """All records, computed in slices: a backfill changes thousands of windows at once."""
    records: list[MetricRecord] = []
    began = time.monotonic()
    for part in parts:
        records += part
        if time.monotonic() - began > _SLICE_SECONDS:
            await asyncio.sleep(0)
            began = time.monotonic()
    return records


class PublisherLoop:
    """Runs in every worker; `snapshot` is what /metrics shows."""

    def __init__(
        self,
        settings: Settings,
        state: PublishedState,
        metrics: Sequence[Metric],
        rules: Rules,
        definition: str,
        owner: Owner,
        outgoing: Outgoing,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._state = state
        self._metrics = metrics
        self._rules = rules
        self._definition = definition
        self._owner = owner
        self._outgoing = outgoing
        self._telemetry = telemetry
        self._publisher: Publisher | None = None
        self._records_at = 0.0
        self._generation = ""
        self.snapshot: Snapshot | None = None

    async def run(self) -> None:
        """Once an interval, for ever."""
        interval = self._settings.publish.snapshot_seconds
        while True:
            began = time.monotonic()
            try:
                await self._turn()
            except FencedError as error:
                _log.info("%s", error)
                self._publisher = None
            except (RedisError, KafkaError, OSError, TimeoutError) as error:
                # What was sent and not acknowledged is sent again by the next publisher: this one,
                # with nothing in its memory.
                _log.warning("not published: %s", error)
                self._telemetry.snapshot_failures += 1
                self._publisher = None
            await asyncio.sleep(max(interval - (time.monotonic() - began), 0.05))

    def snapshot_age_seconds(self) -> float | None:
        """Age of what /metrics shows; None before the first."""
        return None if self.snapshot is None else time.time() - self.snapshot.taken_ms / 1000

    async def _turn(self) -> None:
        first = self._owner.owned.get(0)
        if first is None or first.shard is None or first.claim is None:
            self._publisher = None
            raw = await self._state.snapshot()
            if raw is not None:
                self.snapshot = decode_snapshot(raw)
            return
        epoch = first.claim.epoch
        if self._generation != self._state.generation:
            # Counted anew: everything is published once more.
            self._publisher, self._generation = None, self._state.generation
        if self._publisher is None:
            compare = self._settings.publish.compare
            self._publisher = Publisher(
                self._state, self._metrics, self._rules, self._definition, compare
            )
            await self._state.note_definitions(fingerprints(self._settings), now_ms())
        publisher = self._publisher
        snapshot = await publisher.refresh(now_ms())
        self._note_latency(snapshot)
        self.snapshot = snapshot
        records: list[MetricRecord] = []
        if time.monotonic() - self._records_at >= self._settings.publish.records_seconds:
            records = await _gathered(publisher.due_records(snapshot))
            self._records_at = time.monotonic()
        assert publisher.progress is not None
        # Before the records: it reserves their revision, or finds that somebody else publishes.
        await self._state.publish(epoch, publisher.progress, encode_snapshot(snapshot))
        if records:
            messages = [(record_key(record), encode_record(record)) for record in records]
            sent = await self._outgoing.send(self._settings.topics.metrics, messages)
            self._telemetry.records_published += sent
            publisher.acknowledged(snapshot, records)

    def _note_latency(self, snapshot: Snapshot) -> None:
        """Only while new events keep coming, and live ones: a replay's are old by intention."""
        before = self.snapshot
        if before is not None and snapshot.newest_ms > before.newest_ms:
            delay = (snapshot.taken_ms - snapshot.newest_ms) / 1000
            if 0 <= delay < self._settings.time.allowed_lateness_seconds:
                self._telemetry.latency.observe(delay)
