"""Publisher that follows the stored state and keeps every record that was due."""

from collections.abc import Collection, Sequence

from schemas.outputs import MetricRecord, Window, WindowKind
from stream.configure.compile import build_rules
from stream.configure.fingerprints import definition_version
from stream.counters.table import BucketKey
from stream.counters.windows import span_at
from stream.metrics.catalogue import catalogue
from stream.publish.due_windows import END_OF_INPUT
from stream.publish.merged_counts import MergedCounts
from stream.publish.records import Emission
from stream.settings.application import Settings
from tests.properties.engine import Worker


class Follower:
    """Publisher without servers."""

    def __init__(
        self, workers: Sequence[Worker], settings: Settings, kinds: Collection[WindowKind]
    ) -> None:
        self.workers, self.kinds = workers, kinds
        self.merged = MergedCounts(build_rules(settings).calendar_of, definition_version(settings))
        self.emission = Emission(self.merged, catalogue(settings), kinds)
        self.records: list[MetricRecord] = []
        #: Sites and windows that were open at a time when records were published.
        self.under_way: set[tuple[str, Window]] = set()
        self.revision = 0
        self._known: dict[int, dict[BucketKey, dict[int, int]]] = {
            worker.partition: {} for worker in workers
        }

    def publish(self) -> list[MetricRecord]:
        """Read everything stored since the last call; return the records that are due now."""
        changed: set[BucketKey] = set()
        for worker in self.workers:
            known, stored = self._known[worker.partition], worker.store.buckets
            # A dropped bucket was final long ago: its merged counts stay as they are.
            fresh = {key: dict(counts) for key, counts in stored.items()}
            changed |= {key for key, counts in fresh.items() if known.get(key) != counts}
            known.update(fresh)
        parts = [dict(worker.parts()) for worker in self.workers]
        for key in changed:
            self.merged.replace(key, [part[key] for part in parts if key in part])
        self.emission.note(changed)
        newest_ms = self._newest_ms()
        if newest_ms not in (0, END_OF_INPUT):
            self.emission.note_current(newest_ms)
            for site in self.merged.sites():
                calendar = self.merged.calendar(site)
                self.under_way |= {
                    (site, span_at(kind, newest_ms, calendar).window(calendar))
                    for kind in self.kinds
                }
        self.revision += 1
        due = self.emission.due(self._watermark(), newest_ms, self.revision)
        found = [record for records in due for record in records]
        self.records += found
        return found

    def _watermark(self) -> int | None:
        watermarks = [worker.shard.watermark for worker in self.workers]
        known = [watermark for watermark in watermarks if watermark is not None]
        return min(known) if len(known) == len(watermarks) else None

    def _newest_ms(self) -> int:
        if self._watermark() == END_OF_INPUT:
            return END_OF_INPUT
        topics = [topic for worker in self.workers for topic in worker.shard.topics.values()]
        return max(topic.clock for topic in topics)
