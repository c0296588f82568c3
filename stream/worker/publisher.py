"""The publisher: merges what all shards have stored, computes the snapshot, emits due records."""

from collections.abc import Iterator, Sequence

from schemas.outputs import MetricRecord
from stream.counters.calendar import HOUR_MS, MINUTE_MS
from stream.counters.measures import Grain
from stream.counters.table import BucketKey
from stream.engine.rules import Rules
from stream.metrics.metric import Metric
from stream.publish.headlines import previous_gauges
from stream.publish.merged_counts import MergedCounts
from stream.publish.ranking import ranked, within
from stream.publish.records import Emission
from stream.publish.snapshot import (
    Count,
    SegmentCount,
    Snapshot,
    counts,
    decode_snapshot,
    folded,
    gauges,
    segment_counts,
)
from stream.publish.totals import Highest
from stream.store.published import Progress, PublishedState
from stream.worker.bucket_reader import BucketReader
from stream.worker.process.event_loop import in_slices
from stream.worker.stored_shards import ReachedOffsets, StoredShards

_NEVER = 1 << 62


class Publisher:
    """Publishes for all workers; run by the owner of shard 0. Redis fences off a second one.

    All its state is derived. A new publisher reads every bucket once and goes on after the last
    acknowledged records, by the stored progress.
    """

    def __init__(
        self,
        state: PublishedState,
        metrics: Sequence[Metric],
        rules: Rules,
        definition: str,
        compare: bool = False,
        reached: ReachedOffsets | None = None,
    ) -> None:
        """`definition` is the version of the metrics; `compare` adds the value of the window before.

        `reached` outlives a publisher: what one has seen, the next one misses.
        """
        self._state = state
        self._metrics = metrics
        self._rules = rules
        self.merged = MergedCounts(rules.calendar_of, definition, compare)
        self._emission = Emission(self.merged, metrics)
        self._buckets = BucketReader(state, self.merged)
        self._shards = StoredShards({}, state.partitions, rules.allowed_lateness_ms)
        self._counts: Highest[Count] = Highest()
        self._segment_counts: Highest[SegmentCount] = Highest()
        #: The sequences that the due records are made of; while they are sent, more is merged.
        self._due_sequences: dict[int, int] = {}
        #: The last watermark of the publisher before this one, until records are due.
        self._inherited_ms = _NEVER
        self._reached = reached or ReachedOffsets()
        #: Partitions whose sums are incomplete: Redis has lost their state.
        self.incomplete: set[int] = set()
        self.progress: Progress | None = None

    async def refresh(self, now_ms: int) -> Snapshot:
        """Read what the shards have stored since the last call, and compute the snapshot."""
        shards = self._shards = StoredShards(
            await self._state.shards(), self._state.partitions, self._rules.allowed_lateness_ms
        )
        lacking = self._reached.lacking(self._state.generation, shards.by_partition)
        self.incomplete = lacking | shards.recounting
        if self.progress is None:
            self.progress = await self._take_over(shards)
        else:
            await self._read_buckets(shards)
        return await self._snapshot(shards, now_ms, self.progress.revision)

    @property
    def may_send(self) -> bool:
        """Whether records may be made of the sums: never of some shards alone."""
        return not self.incomplete and self._shards.is_complete

    def due_records(self, snapshot: Snapshot) -> Iterator[list[MetricRecord]]:
        """Yield the records that are new or changed since the last call, one list per window."""
        assert self.progress is not None
        changed, self._due_sequences = self._buckets.take_changed()
        floor_ms = self._shards.floor_ms
        # A replay publishes no minute windows, but finalizes those that are published already.
        minutes_ms = min(
            self._shards.log_clock_ms - self._rules.correction_window_ms, self._inherited_ms
        )
        self._inherited_ms = _NEVER
        self._emission.note(
            changed,
            oldest_minute=max(minutes_ms, floor_ms) // MINUTE_MS,
            oldest_hour=(floor_ms - self._rules.hour_retention_ms) // MINUTE_MS,
        )
        if not snapshot.newest_ms:
            return iter(())
        self._emission.note_current(snapshot.newest_ms)
        # By the clock, so that it grows even if Redis has lost the last revision.
        self.progress.revision = max(self.progress.revision + 1, snapshot.taken_ms)
        return self._emission.due(snapshot.watermark_ms, snapshot.newest_ms, self.progress.revision)

    def acknowledged(self, snapshot: Snapshot) -> None:
        """Note that Kafka has the due records, so that the next publisher does not send them again."""
        assert self.progress is not None
        self.progress.sequences = self._due_sequences
        self.progress.watermark_ms = snapshot.watermark_ms
        self.progress.newest_ms = snapshot.newest_ms
        # By the log and not by the watermark: silence ends windows, but a later event reopens them.
        floor_ms = self._shards.floor_ms
        past_ms = floor_ms - self._rules.hour_retention_ms
        self._emission.forget_before(past_ms)
        self.merged.forget_before(Grain.HOUR, past_ms // MINUTE_MS)
        self.merged.forget_before(Grain.MINUTE, (floor_ms - 2 * HOUR_MS) // MINUTE_MS)

    async def _snapshot(self, shards: StoredShards, now_ms: int, revision: int) -> Snapshot:
        newest_ms, merged, metrics = shards.newest_ms, self.merged, self._metrics
        order, most = ranked(merged), self._rules.settings.limits.series_max
        found = gauges(merged, metrics, newest_ms, order) if newest_ms else iter(())
        shown_gauges, segments = within(await in_slices(found, most + 1), order, most)
        shown = set(segments)
        sites = [site for site, dimension, _ in segments if not dimension]
        previous = previous_gauges(merged, metrics, newest_ms, sites) if newest_ms else iter(())
        totals = self._segment_counts.of(await in_slices(segment_counts(merged, metrics, segments)))
        return Snapshot(
            taken_ms=now_ms,
            newest_ms=newest_ms,
            watermark_ms=shards.watermark_ms,
            revision=revision,
            gauges=shown_gauges,
            counts=[
                count
                for count in self._counts.of(counts(merged, sites))
                if (count.site, "", "") in shown
            ],
            outcomes=shards.outcomes,
            reasons=shards.reasons,
            unaccounted=shards.unaccounted,
            shards=shards.views,
            previous=await in_slices(previous),
            records={str(kind): n for kind, n in self._emission.outcomes.items()},
            folded=list(folded(merged, segments)),
            segment_counts=[t for t in totals if (t.site, t.dimension, t.label) in shown],
            segments_withheld=len(order) - len(segments),
        )

    async def _read_buckets(self, shards: StoredShards) -> None:
        today = self._rules.calendar_of("").day_of(shards.newest_ms)
        oldest_day = today - self._rules.settings.time.day_retention_days
        await self._buckets.read(shards.by_partition, today + 1, oldest_day)

    async def _take_over(self, shards: StoredShards) -> Progress:
        """Read everything that is stored; leave out windows whose final records are acknowledged."""
        progress = await self._state.progress()
        if raw := await self._state.snapshot():
            last = decode_snapshot(raw)
            self._counts.of(last.counts)
            self._segment_counts.of(last.segment_counts)
        await self._read_buckets(shards)
        watermark_ms = progress.watermark_ms
        self._inherited_ms = _NEVER if watermark_ms is None else watermark_ms
        if progress.revision:
            self._emission.take_over(watermark_ms, progress.newest_ms, shards.newest_ms)
        if watermark_ms is None:
            return progress
        later = await self._state.changed_since(progress.sequences)
        from_ms = {Grain.DAY: self._emission.unfinished_from_ms(watermark_ms)}
        self._buckets.keep(
            lambda b: b in later or self._end_ms(b) > from_ms.get(b[0], watermark_ms)
        )
        return progress

    def _end_ms(self, bucket: BucketKey) -> int:
        grain, index = bucket
        if grain is Grain.DAY:
            return self._rules.calendar_of("").day_start_ms(index + 1)
        return index * MINUTE_MS + HOUR_MS if grain is not Grain.ALL else _NEVER
