"""The publisher's work: merges what all shards have stored, renews the snapshot, emits records."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

from schemas.outputs import MetricRecord
from stream.counters.calendar import HOUR_MS, MINUTE_MS
from stream.counters.measures import Grain
from stream.counters.table import BucketKey
from stream.engine.checkpoint import StoredShard
from stream.engine.rules import Rules
from stream.metrics.metric import Metric
from stream.publish.headlines import previous_gauges
from stream.publish.merged_counts import MergedCounts, SeriesKey
from stream.publish.records import Emission
from stream.publish.snapshot import (
    Count,
    SegmentCount,
    ShardView,
    Snapshot,
    counts,
    decode_snapshot,
    folded,
    gauges,
    segment_counts,
)
from stream.publish.totals import Highest
from stream.store.published import Progress, PublishedState

_log = logging.getLogger(__name__)
_NEVER = 1 << 62


class Publisher:
    """AssignedShard by whoever owns shard 0; a second one is fenced off by Redis.

    Everything it holds is derived: a new publisher reads all buckets once and goes on where the
    stored progress says that records have been acknowledged.
    """

    def __init__(
        self,
        state: PublishedState,
        metrics: Sequence[Metric],
        rules: Rules,
        definition: str,
        compare: bool = False,
    ) -> None:
        self._state = state
        self._metrics = metrics
        self._rules = rules
        self.merged = MergedCounts(rules.calendar_of, definition, compare)
        self._emission = Emission(self.merged, metrics)
        self._names: dict[int, dict[int, SeriesKey]] = {}
        #: Partition → sequence of the newest cut whose buckets are on the board.
        self._read: dict[int, int] = {}
        #: Buckets of days that have not come yet.
        self._postponed: set[BucketKey] = set()
        self._changed: set[BucketKey] = set()
        #: What was on the board when records became due; by the time they are sent there is more.
        self._due_sequences: dict[int, int] = {}
        self._counts: Highest[Count] = Highest()
        self._segment_counts: Highest[SegmentCount] = Highest()
        #: The watermark at which somebody else has published last, while nobody has since.
        self._finished_ms = _NEVER
        #: The newest event time of all shards.
        self._log_clock_ms = 0
        #: Lower bound of the event times that any shard still accepts.
        self._floor_ms = 0
        self.progress: Progress | None = None

    async def refresh(self, now_ms: int) -> Snapshot:
        """Read what the shards have stored since the last time, and compute the numbers of now."""
        shards = await self._state.shards()
        clocks = (topic.clock for shard in shards.values() for topic in shard.topics.values())
        self._log_clock_ms = max(clocks, default=0)
        newest_ms = self._newest(shards.values())
        self._floor_ms = min((shard.floor_ms for shard in shards.values()), default=0)
        if self.progress is None:
            self.progress = await self._state.progress()
            if raw := await self._state.snapshot():
                last = decode_snapshot(raw)
                self._counts.of(last.counts)
                self._segment_counts.of(last.segment_counts)
            await self._read_changes(shards, newest_ms)
            await self._take_over(self.progress, newest_ms)
        else:
            await self._read_changes(shards, newest_ms)
        return Snapshot(
            taken_ms=now_ms,
            newest_ms=newest_ms,
            watermark_ms=self._watermark(shards),
            revision=self.progress.revision,
            gauges=list(gauges(self.merged, self._metrics, newest_ms)) if newest_ms else [],
            counts=self._counts.of(counts(self.merged)),
            outcomes=_sum(t.counts for s in shards.values() for t in s.topics.values()),
            reasons=_sum(t.reasons for s in shards.values() for t in s.topics.values()),
            unaccounted=sum(
                t.next - t.start - sum(t.counts.values())
                for s in shards.values()
                for t in s.topics.values()
            ),
            shards=[
                ShardView(p, s.watermark, s.open_sessions, s.reopened, s.evictions, s.dedupe_capped)
                for p, s in sorted(shards.items())
            ],
            previous=list(previous_gauges(self.merged, self._metrics, newest_ms))
            if newest_ms
            else [],
            records={str(kind): n for kind, n in self._emission.outcomes.items()},
            folded=list(folded(self.merged)),
            segment_counts=self._segment_counts.of(segment_counts(self.merged, self._metrics)),
        )

    def due_records(self, snapshot: Snapshot) -> Iterator[list[MetricRecord]]:
        """The records that are new or changed since they were published last, a list a window."""
        assert self.progress is not None
        # Nobody asks for the minutes of a replay, but what was told of is corrected and finished.
        minutes_ms = min(self._log_clock_ms - self._rules.correction_ms, self._finished_ms)
        self._finished_ms = _NEVER
        self._emission.note(
            self._changed,
            oldest_minute=max(minutes_ms, self._floor_ms) // MINUTE_MS,
            oldest_hour=(self._floor_ms - self._rules.hour_retention_ms) // MINUTE_MS,
        )
        self._changed = set()
        self._due_sequences = dict(self._read)
        if not snapshot.newest_ms:
            return iter(())
        self._emission.note_current(snapshot.newest_ms)
        # Grows for ever, also when Redis has lost the last one.
        self.progress.revision = max(self.progress.revision + 1, snapshot.taken_ms)
        return self._emission.due(snapshot.watermark_ms, snapshot.newest_ms, self.progress.revision)

    def acknowledged(self, snapshot: Snapshot) -> None:
        """Kafka has the records: the next publisher need not send them again."""
        assert self.progress is not None
        self.progress.sequences = self._due_sequences
        self.progress.watermark_ms = snapshot.watermark_ms
        self.progress.newest_ms = snapshot.newest_ms
        # By the log and not by the clock: silence ends windows, but a later event reopens them.
        past_ms = self._floor_ms - self._rules.hour_retention_ms
        self._emission.forget_before(past_ms)
        self.merged.forget_before(Grain.HOUR, past_ms // MINUTE_MS)
        self.merged.forget_before(Grain.MINUTE, (self._floor_ms - 2 * HOUR_MS) // MINUTE_MS)

    async def _read_changes(self, shards: dict[int, StoredShard], newest_ms: int) -> None:
        last_day = self._rules.calendar_of("").day_of(newest_ms) + 1
        changed: set[BucketKey] = set()
        sequences: dict[int, int] = {}
        for partition in shards:
            sequence, buckets = await self._state.changed(partition, self._read.get(partition, -1))
            sequences[partition] = sequence
            changed.update(buckets)
        changed |= self._postponed
        self._postponed = {b for b in changed if b[0] is Grain.DAY and b[1] > last_day}
        for bucket in changed - self._postponed:
            parts = [await self._state.bucket(partition, bucket) for partition in shards]
            self.merged.replace(bucket, parts)
            self._changed.add(bucket)
        self._read.update(sequences)

    async def _take_over(self, progress: Progress, newest_ms: int) -> None:
        """Leave out what has not changed since the last acknowledged records, and was finished then."""
        mark = progress.watermark_ms
        self._finished_ms = _NEVER if mark is None else mark
        if progress.revision:
            self._emission.take_over(mark, progress.newest_ms, newest_ms)
        if mark is None:
            return
        later = await self._state.changed_since(progress.sequences)
        from_ms = {Grain.DAY: self._emission.unfinished_from_ms(mark)}
        self._changed = {
            b for b in self._changed if b in later or self._end_ms(b) > from_ms.get(b[0], mark)
        }

    def _end_ms(self, bucket: BucketKey) -> int:
        grain, index = bucket
        if grain is Grain.DAY:
            return self._rules.calendar_of("").day_start_ms(index + 1)
        return index * MINUTE_MS + HOUR_MS if grain is not Grain.ALL else _NEVER

    def _newest(self, shards: Iterable[StoredShard]) -> int:
        # In silence the wall clock moves the watermarks, and with them what "now" is.
        marks = (shard.watermark + self._rules.lateness_ms for shard in shards if shard.watermark)
        return max(self._log_clock_ms, *marks, 0)

    def _watermark(self, shards: dict[int, StoredShard]) -> int | None:
        if len(shards) < self._state.partitions:
            return None
        marks = [shard.watermark for shard in shards.values()]
        known = [mark for mark in marks if mark is not None]
        return min(known) if len(known) == len(marks) else None


def _sum(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for name, count in part.items():
            total[name] = total.get(name, 0) + count
    return total
