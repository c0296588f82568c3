"""Publishers over shards in memory: what they read, and what a consumer holds of what they send."""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.outputs import MetricRecord, record_key
from stream.board import SeriesKey
from stream.counters import BucketKey
from stream.cut import Cut, StoredShard, read_stored
from stream.metrics import catalogue
from stream.published import Progress
from stream.publishing import Publisher
from stream.rules import build_rules
from stream.settings import Settings, definition_version
from tests.properties.engine import MemoryStore, Worker


class DatedStore(MemoryStore):
    """Also knows by which cut a bucket was changed last."""

    def __init__(self, position: str) -> None:
        super().__init__(position=position)
        self.changed_by: dict[BucketKey, int] = {}

    def store(self, cut: Cut) -> None:
        super().store(cut)
        self.changed_by |= dict.fromkeys(cut.buckets, cut.sequence)


class StoredState:
    """What a publisher reads of shards that are stored in memory."""

    def __init__(self, workers: Sequence[Worker], progress: Progress) -> None:
        self._workers = workers
        self._progress = progress
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

    async def bucket(self, partition: int, bucket: BucketKey) -> Mapping[SeriesKey, int]:
        worker = self._workers[partition]
        names = worker.shard.names.series
        counts = worker.store.buckets.get(bucket, {})
        return {(names[i][0], names[i][1:]): count for i, count in counts.items()}


class Consumer:
    """Holds the newest record of every number that was sent to it."""

    def __init__(self) -> None:
        self.held: dict[bytes, MetricRecord] = {}

    def take(self, records: Sequence[MetricRecord]) -> None:
        for record in records:
            known = self.held.get(record_key(record))
            if known is None or record.revision > known.revision:
                self.held[record_key(record)] = record

    def numbers(self) -> dict[bytes, tuple[Any, ...]]:
        """Key → what is known of it, of everything that counts anything."""
        return {
            key: (r.value, r.numerator, r.denominator, r.is_final)
            for key, r in self.held.items()
            if r.numerator or r.denominator
        }


class Succession:
    """Publishers of the same state, one after the other: each knows what was acknowledged before it."""

    def __init__(self, workers: Sequence[Worker], config: Settings) -> None:
        self._workers, self._config = workers, config
        self._acknowledged = Progress(0, {}, None)
        self._revision = 0
        self.consumer = Consumer()
        self.follow()

    def follow(self) -> None:
        """A new publisher takes over."""
        progress = Progress(
            self._revision, dict(self._acknowledged.sequences), self._acknowledged.watermark_ms
        )
        state: Any = StoredState(self._workers, progress)
        config = self._config
        self._publisher = Publisher(
            state, catalogue(config), build_rules(config), definition_version(config)
        )

    async def publish(self, now_ms: int, windows: int | None = None) -> int:
        """Send what is due; how many records. Only that of so many windows: it dies before the rest."""
        publisher, sent = self._publisher, 0
        snapshot = await publisher.refresh(now_ms)
        for number, records in enumerate(publisher.due_records(snapshot)):
            if number == windows:
                break
            self.consumer.take(records)
            sent += len(records)
        assert publisher.progress is not None
        self._revision = publisher.progress.revision
        if windows is None:
            publisher.acknowledged(snapshot)
            progress = publisher.progress
            self._acknowledged = Progress(0, dict(progress.sequences), progress.watermark_ms)
        return sent
