"""Finds the metric records that are due: of windows that are new, changed or final."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from schemas.outputs import MetricRecord, WindowKind
from stream.counters.table import BucketKey
from stream.counters.windows import LENGTH_OF, Span
from stream.counters.windows import before as preceding
from stream.metrics.metric import Metric
from stream.publish.due_windows import END_OF_INPUT, DueWindows, SiteSpan
from stream.publish.merged_counts import MergedCounts, SegmentKey
from stream.publish.reader import SegmentReader, Value, value_of

#: first: first record of a number; first_final: first and final at once; revised: changed while the window
#: was open; finalized: the window has ended; corrected: changed after that.
RecordOutcome = Literal["first", "first_final", "revised", "finalized", "corrected"]


class Emission:
    """Due metric records, from the watermark and the newest event time of all shards.

    A window that does not exist (see `DueWindows`) is published only if it has counts. Rolling windows
    have them after the last event.
    """

    def __init__(
        self,
        merged: MergedCounts,
        metrics: Sequence[Metric],
        kinds: Collection[WindowKind] | None = None,
        bounded: bool = False,
    ) -> None:
        """`bounded`: the input has an end, as a file has (see `DueWindows`)."""
        self._merged = merged
        self._by_kind: dict[WindowKind, list[Metric]] = {}
        for metric in metrics:
            for kind in metric.windows:
                if kinds is None or kind in kinds:
                    self._by_kind.setdefault(kind, []).append(metric)
        self._covered: dict[tuple[WindowKind, str], list[Metric]] = {}
        self._windows = DueWindows(
            merged,
            {kind: {metric.matures_days for metric in own} for kind, own in self._by_kind.items()},
            {
                kind: {metric.looks_back_days for metric in own} - {0}
                for kind, own in self._by_kind.items()
            },
            bounded,
        )
        #: Records so far, see RecordOutcome.
        self.outcomes: Counter[RecordOutcome] = Counter()
        self._published: dict[SiteSpan, dict[tuple[str, SegmentKey], tuple[Value, bool]]] = {}
        #: Segments with counts.
        self._seen_segments: dict[SiteSpan, set[SegmentKey]] = {}
        #: A previous publisher may have published windows that begin up to this time; 0: there was none.
        self._inherited_ms = 0

    def note(
        self, buckets: Iterable[BucketKey], oldest_minute: int = 0, oldest_hour: int = 0
    ) -> None:
        """Add every window that holds one of these changed buckets (see `DueWindows`)."""
        self._windows.note(buckets, oldest_minute, oldest_hour)

    def note_current(self, newest_ms: int) -> None:
        """Add the windows that are current at the newest event time."""
        self._windows.note_current(newest_ms)

    def unfinished_from_ms(self, watermark_ms: int) -> int:
        """Return the time before which all windows of days are finished at this watermark."""
        return self._windows.unfinished_from_ms(watermark_ms)

    def take_over(self, watermark_ms: int | None, newest_then_ms: int, newest_ms: int) -> None:
        """Go on for a previous publisher, from its watermark and newest event time.

        Buckets that changed since are noted after this. Its records are unknown; a count that fell to 0
        still has its 0 in a bucket.
        """
        self._inherited_ms = newest_ms
        if watermark_ms is not None:
            self._windows.take_over(watermark_ms, newest_then_ms)

    def due(
        self, watermark_ms: int | None, newest_ms: int, revision: int
    ) -> Iterator[list[MetricRecord]]:
        """Yield the records that differ from the last published ones, or that have become final.

        There is one list for each window, so that a caller can pause in between.
        """
        windows = self._windows
        self._merged.reach(newest_ms)
        for site, span in windows.take(watermark_ms):
            if windows.is_to_wait(site, span, newest_ms):
                continue
            is_final = windows.is_final(site, span, watermark_ms, newest_ms)
            mature = windows.mature_days(site, span, watermark_ms)
            exists = windows.exists(site, span, newest_ms)
            calendar = self._merged.calendar(site)
            known = watermark_ms is not None and watermark_ms != END_OF_INPUT
            watermark = calendar.rfc3339(watermark_ms or 0) if known else None
            window = span.window(calendar)
            yield [
                self._merged.record(
                    metric, segment, span, value, window=window,
                    revision=revision, is_final=is_final, watermark=watermark,
                )
                for metric, segment, value in self._changed(site, span, exists, is_final, mature)
            ]  # fmt: skip

    def forget_before(self, time_ms: int) -> None:
        """Forget the records of windows that no event after this time can change."""
        past = {w for w in self._published if self._windows.is_past(*w, time_ms)}
        past |= {w for w in self._seen_segments if self._windows.is_past(*w, time_ms)}
        for window in past:
            self._published.pop(window, None)
            self._seen_segments.pop(window, None)
        self._windows.forget_before(time_ms)

    def _changed(
        self, site: str, span: Span, exists: bool, is_final: bool, mature: int
    ) -> Iterator[tuple[Metric, SegmentKey, Value]]:
        first = _First(exists, self._is_inherited(site, span), self._closes(site, span))
        published = self._published.setdefault((site, span), {})
        for segment in self._segments(site, span, first.inherited):
            # Hundreds of metrics read the same counts.
            reader = self._merged.reader(segment)
            for metric in self._covering(span.kind, segment[1]):
                if metric.matures_days > mature:
                    continue
                value = value_of(metric, reader, span)
                before = published.get((metric.name, segment))
                if before is None and not self._is_wanted(metric, reader, span, value, first):
                    continue
                if before != (value, is_final):
                    published[metric.name, segment] = value, is_final
                    self.outcomes[_outcome(before, value, is_final)] += 1
                    yield metric, segment, value

    def _is_wanted(
        self, metric: Metric, reader: SegmentReader, span: Span, value: Value, first: "_First"
    ) -> bool:
        """Whether a number without a record gets one."""
        if not value.is_empty:
            # A level has a value on every future day; it is published while there are events.
            return first.exists or not metric.level
        return (
            (first.exists and not reader.segment[1])
            or (first.closes is not None and first.closes(metric, reader))
            or (first.inherited and self._merged.has_counted(metric, reader.segment, span))
        )

    def _is_inherited(self, site: str, span: Span) -> bool:
        """Whether only a previous publisher may have published a window."""
        if not self._inherited_ms or (site, span) in self._published:
            return False
        return self._windows.begins_ms(site, span) <= self._inherited_ms

    def _segments(self, site: str, span: Span, inherited: bool) -> list[SegmentKey]:
        """Return the whole site and each segment that has, or had, counts in the window."""
        before = self._seen_segments.setdefault((site, span), set())
        before |= self._merged.segments_in(site, span, emptied=inherited)
        if span.kind in LENGTH_OF:
            # One zero closes a series of rolling windows, also of a segment.
            last = preceding(span)
            found = self._seen_segments.get((site, last))
            before |= self._merged.segments_in(site, last) if found is None else found
        return [(site, "", ""), *sorted(before)]

    def _covering(self, kind: WindowKind, dimension: str) -> list[Metric]:
        """Return the metrics of a window kind for segments of a dimension."""
        found = self._covered.get((kind, dimension))
        if found is None:
            found = [metric for metric in self._by_kind[kind] if metric.covers(dimension)]
            self._covered[kind, dimension] = found
        return found

    def _closes(self, site: str, span: Span) -> Callable[[Metric, SegmentReader], bool] | None:
        """Return a test whether the preceding rolling window had a value: one zero closes such a series."""
        if span.kind not in LENGTH_OF:
            return None
        last = preceding(span)
        published = self._published.get((site, last))
        if published is None:
            # A previous publisher may have published it.
            return lambda metric, reader: not value_of(metric, reader, last).is_empty
        full = {key for key, (value, _) in published.items() if not value.is_empty}
        return lambda metric, reader: (metric.name, reader.segment) in full


class _First(NamedTuple):
    """Facts that decide whether the numbers of a window get a first record."""

    exists: bool
    #: A previous publisher may have published it: a count that fell to 0 is published as 0.
    inherited: bool
    #: Test whether a number of the preceding window had a value; None if the window is not rolling.
    closes: Callable[[Metric, SegmentReader], bool] | None


def _outcome(before: tuple[Value, bool] | None, value: Value, is_final: bool) -> RecordOutcome:
    if before is None:
        return "first_final" if is_final else "first"
    if before[1]:
        return "corrected" if value != before[0] else "revised"
    return "finalized" if is_final else "revised"
