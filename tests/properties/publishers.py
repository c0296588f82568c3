"""Publishers over shards in memory: their reading side, and the records a consumer ends up with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from schemas.outputs import MetricRecord, record_key
from stream.configure.compile import build_rules
from stream.configure.fingerprints import definition_version
from stream.counters.table import BucketKey
from stream.engine.checkpoint import Checkpoint, read_stored
from stream.engine.stored.shard import StoredShard
from stream.metrics.catalogue import catalogue
from stream.publish.merged_counts import SeriesKey
from stream.settings.application import Settings
from stream.store.published import Progress
from stream.worker.publisher import Publisher
from tests.oracle.oracle import instant
from tests.properties.checking import KINDS
from tests.properties.engine import MemoryStore, Worker


class DatedStore(MemoryStore):
    """Memory store that also knows the checkpoint which changed a bucket last."""

    def __init__(self, position: str) -> None:
        super().__init__(position=position)
        self.changed_by: dict[BucketKey, int] = {}

    def store(self, checkpoint: Checkpoint) -> None:
        super().store(checkpoint)
        self.changed_by |= dict.fromkeys(checkpoint.buckets, checkpoint.sequence)
        for bucket in checkpoint.dropped:
            self.changed_by.pop(bucket, None)


def with_dated_store(worker: Worker) -> Worker:
    """Return the worker with a store that a publisher can follow."""
    worker.store = DatedStore(worker.store.position)
    return worker


class StoredState:
    """Reading side of a publisher, over shards stored in memory."""

    generation = ""

    def __init__(self, workers: Sequence[Worker], progress: Progress | None = None) -> None:
        """Read `workers`; `progress` is the progress of an earlier publisher."""
        self._workers = workers
        self._progress = progress or Progress(0, {}, None)
        self.partitions = len(workers)

    async def shards(self) -> dict[int, StoredShard]:
        return {w.partition: read_stored(w.store.state) for w in self._workers if w.store.state}

    async def progress(self) -> Progress:
        return self._progress

    async def snapshot(self) -> None:
        return None

    async def changed(self, partition: int, since: int) -> tuple[int, list[BucketKey]]:
        store: Any = self._workers[partition].store
        found = [key for key, sequence in store.changed_by.items() if sequence > since]
        return store.sequence, found

    async def changed_since(self, sequences: Mapping[int, int]) -> set[BucketKey]:
        return {
            key
            for p in range(self.partitions)
            for key in (await self.changed(p, sequences.get(p, -1)))[1]
        }

    async def buckets(
        self, partition: int, wanted: Sequence[BucketKey]
    ) -> dict[BucketKey, dict[SeriesKey, int]]:
        worker = self._workers[partition]
        names, stored = worker.shard.registry.series, worker.store.buckets
        return {
            bucket: {(names[i][0], names[i][1:]): n for i, n in stored.get(bucket, {}).items()}
            for bucket in wanted
        }


class Succession:
    """Publishers of the same state, one after the other: each starts from the acknowledged progress."""

    def __init__(self, workers: Sequence[Worker], config: Settings) -> None:
        self._workers, self._config = workers, config
        self._acknowledged = Progress(0, {}, None)
        self._revision = 0
        #: Newest record of every number.
        self.consumer: dict[bytes, MetricRecord] = {}
        self.follow()

    def follow(self) -> None:
        """Let a new publisher take over."""
        known = self._acknowledged
        progress = Progress(
            self._revision, dict(known.sequences), known.watermark_ms, known.newest_ms
        )
        state: Any = StoredState(self._workers, progress)
        config = self._config
        kept = [
            (metric, tuple(kind for kind in metric.windows if kind in KINDS))
            for metric in catalogue(config)
        ]
        metrics = [replace(metric, windows=kinds) for metric, kinds in kept if kinds]
        self._publisher = Publisher(state, metrics, build_rules(config), definition_version(config))

    async def publish(self, now_ms: int, windows: int | None = None) -> int:
        """Send the records that are due; return their number. `windows`: crash after that many windows."""
        publisher, sent = self._publisher, 0
        snapshot = await publisher.refresh(now_ms)
        for number, records in enumerate(publisher.due_records(snapshot)):
            if number == windows:
                break
            for record in records:
                self._take(record)
            sent += len(records)
        assert publisher.progress is not None
        self._revision = publisher.progress.revision
        if windows is None:
            publisher.acknowledged(snapshot)
            progress = publisher.progress
            self._acknowledged = Progress(
                0, dict(progress.sequences), progress.watermark_ms, progress.newest_ms
            )
        return sent

    def _take(self, record: MetricRecord) -> None:
        known = self.consumer.get(record_key(record))
        if known is None or record.revision > known.revision:
            self.consumer[record_key(record)] = record

    def numbers(self) -> dict[bytes, tuple[Any, ...]]:
        """Return key → value, parts and finality of every number above zero.

        Excludes levels after the last event: those are published only while their day is open,
        which a later publisher cannot know.
        """
        levels = {metric.name for metric in catalogue(self._config) if metric.level}
        merged = self._publisher.merged
        ends_ms = {
            site: merged.calendar(site).day_start_ms(
                max(merged.days_with_events(site), default=0) + 1
            )
            for site in merged.sites()
        }
        return {
            key: (r.value, r.numerator, r.denominator, r.is_final)
            for key, r in self.consumer.items()
            if (r.numerator or r.denominator)
            and (r.metric not in levels or instant(r.window.end) <= ends_ms[r.site])
        }
