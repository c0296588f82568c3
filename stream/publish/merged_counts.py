"""Merged counts of all shards, and the metrics computed from them."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import UNSET, UnsetType

from schemas.outputs import MetricRecord, Window
from stream.counters import measures
from stream.counters.calendar import MINUTE_MS, Calendar
from stream.counters.measures import Grain
from stream.counters.sites import OTHER
from stream.counters.table import BucketKey
from stream.counters.windows import Span, span_at, step
from stream.metrics.metric import JOINED, Metric
from stream.publish.reader import NotingReader, SegmentReader, Value, value_of
from stream.publish.running_totals import Levels

#: (site, dimension, value); the whole site has no dimension.
SegmentKey = tuple[str, str, str]
#: (measure, segment)
SeriesKey = tuple[str, SegmentKey]
Bucket = Mapping[SeriesKey, int]
#: Segment → measure → count.
Rows = dict[SegmentKey, dict[str, int]]
_WINDOWS_FOUND = 64
_NOTHING: Mapping[str, int] = {}
#: From here on there are no dates: the year 9999 ends.
_FAR_MS, _FAR_DAY = 253_402_214_400_000, 3_652_059


class MergedCounts:
    """Counts by bucket and series, added up over the shards."""

    def __init__(
        self, calendar_of: Callable[[str], Calendar], definition: str, compare: bool = False
    ) -> None:
        """With `compare`, records carry the value of the window before."""
        self._compare = compare
        self._calendar_of = calendar_of
        self._definition = definition
        self._tables: dict[Grain, dict[int, Rows]] = {g: {} for g in Grain}
        self._present: dict[BucketKey, frozenset[SegmentKey]] = {}
        self._levels = Levels()
        #: Buckets of the windows that were read last.
        self._found: dict[tuple[Grain, int, int], list[Rows]] = {}
        self.segments: dict[SegmentKey, None] = {}
        #: Newest event time, and its day by site: see `reach`.
        self._newest_ms: int | None = None
        self._newest_days: dict[str, int] = {}

    def reach(self, newest_ms: int) -> None:
        """Note the newest event time: later days hold only what is to come, such as announced ends.

        A window that is not over has the level, and the counts, of its newest day.
        """
        if newest_ms != self._newest_ms:
            self._newest_ms, self._newest_days = newest_ms, {}

    def _known_day(self, site: str, day: int) -> int:
        """Return a day, or the newest one if that is before."""
        if self._newest_ms is None:
            return day
        newest = self._newest_days.get(site)
        if newest is None:
            # Beyond the last possible day there is no end of a day to find.
            far = self._newest_ms >= _FAR_MS
            newest = _FAR_DAY if far else self._calendar_of(site).day_of(self._newest_ms)
            self._newest_days[site] = newest
        return min(day, newest)

    def replace(self, bucket: BucketKey, parts: Iterable[Bucket]) -> None:
        """Set a bucket to the sum of the shards' buckets."""
        rows: Rows = {}
        for part in parts:
            for (measure, segment), count in part.items():
                row = rows.get(segment)
                if row is None:
                    row = rows[segment] = {}
                row[measure] = row.get(measure, 0) + count
        self.put(bucket, rows)

    def put(self, bucket: BucketKey, rows: Rows) -> None:
        """Set a bucket to counts that are added up already."""
        self.segments |= dict.fromkeys(rows)
        self._present[bucket] = frozenset(s for s, row in rows.items() if any(row.values()))
        grain, index = bucket
        self._found = {}
        if rows:
            self._tables[grain][index] = rows
        else:
            self._tables[grain].pop(index, None)
        if grain is Grain.DAY:
            self._levels.replace(
                index, {(m, s): count for s, row in rows.items() for m, count in row.items()}
            )

    def forget_before(self, grain: Grain, first: int) -> None:
        """Forget the buckets below an index, which no changing window holds."""
        self._found = {}
        for index in [index for index in self._tables[grain] if index < first]:
            del self._tables[grain][index]
            self._present.pop((grain, index), None)
        if grain is Grain.DAY:
            self._levels.forget_before(first)

    def days_before(self, day: int) -> list[int]:
        """Return the days with counts before a day."""
        return [index for index in self._tables[Grain.DAY] if index < day]

    def calendar(self, site: str) -> Calendar:
        """Return the calendar of a site."""
        return self._calendar_of(site)

    def sites(self) -> Iterator[str]:
        """Return the sites with counts."""
        return (site for site, dimension, _ in self.segments if not dimension)

    def at(self, series: SeriesKey, grain: Grain, index: int) -> int:
        """Return the count of one series in one bucket."""
        measure, segment = series
        row = self._tables[grain].get(index, {}).get(segment)
        return row.get(measure, 0) if row else 0

    def rows(self, grain: Grain, index: int) -> Mapping[SegmentKey, Mapping[str, int]]:
        """Return the counts of one bucket by segment and measure."""
        return self._tables[grain].get(index, {})

    def counts(self, segment: SegmentKey, grain: Grain, first: int, last: int) -> Mapping[str, int]:
        """Sum the buckets first … last of a segment by measure. Include every measure ever counted, also at 0."""
        if grain is Grain.DAY:
            last = self._known_day(segment[0], last)
        buckets = self._buckets(grain, first, last)
        rows = [row for bucket in buckets if (row := bucket.get(segment))]
        if len(rows) < 2:
            return rows[0] if rows else _NOTHING
        total: dict[str, int] = {}
        for row in rows:
            for measure, count in row.items():
                total[measure] = total.get(measure, 0) + count
        return total

    def _buckets(self, grain: Grain, first: int, last: int) -> list[Rows]:
        """Return the existing buckets first … last, the same for all segments of a window."""
        found = self._found.get((grain, first, last))
        if found is None:
            table = self._tables[grain]
            if last - first < len(table):
                found = [table[index] for index in range(first, last + 1) if index in table]
            else:
                found = [rows for index, rows in table.items() if first <= index <= last]
            if len(self._found) >= _WINDOWS_FOUND:
                self._found = {}
            self._found[grain, first, last] = found
        return found

    def has_all_hours(self, site: str, hour: int) -> bool:
        """Whether all hours of an hour's day are present: together they count the events of the day.

        In a fast replay a shard may drop hours before they are read; they must not look empty.
        """
        calendar = self._calendar_of(site)
        day = calendar.day_of(hour * MINUTE_MS)
        series = (measures.EVENTS, (site, "", ""))
        first, end = calendar.day_start_ms(day), calendar.day_start_ms(day + 1)
        hours = range(first // MINUTE_MS, end // MINUTE_MS, 60)
        counted = sum(self.at(series, Grain.HOUR, index) for index in hours)
        return counted == self.at(series, Grain.DAY, day)

    def has_events(self, site: str, grain: Grain, index: int) -> bool:
        """Whether the site has accepted an event in a bucket."""
        return self.at((measures.EVENTS, (site, "", "")), grain, index) > 0

    def days_with_events(self, site: str) -> list[int]:
        """Return the days with accepted events of the site."""
        return [day for day in self._tables[Grain.DAY] if self.has_events(site, Grain.DAY, day)]

    def segments_in(self, site: str, span: Span, *, emptied: bool = False) -> set[SegmentKey]:
        """Return the site's segments, without the whole site, that have a count in a window.

        With `emptied` also those whose counts have all fallen to 0.
        """
        present = set(self._levels.segments) if span.grain is Grain.DAY else set()
        for index in range(span.first, span.last + 1, step(span.kind)):
            present |= self._present.get((span.grain, index), frozenset())
            if emptied:
                present |= self._tables[span.grain].get(index, {}).keys()
        return {segment for segment in present if segment[0] == site and segment[1]}

    def has_levels(self, site: str, day: int) -> bool:
        """Whether a level of the site changes on a day."""
        return self._levels.changes(site, day)

    def level(self, series: SeriesKey, day: int) -> int:
        """Add up a series over all day buckets up to and including a day."""
        return self._levels.at(series, self._known_day(series[1][0], day))

    def has_level(self, series: SeriesKey, day: int) -> bool:
        """Whether a series was counted on a day up to this one."""
        return self._levels.has(series, day)

    def level_histogram(self, name: str, segment: SegmentKey, day: int) -> Mapping[int, int]:
        """Return histogram bucket → sum over all day buckets up to and including a day."""
        return self._levels.histogram(name, segment, self._known_day(segment[0], day))

    def reader(self, segment: SegmentKey) -> "SegmentReader":
        """Return a reader for the metrics of a segment; it is valid until a bucket changes."""
        return SegmentReader(self, segment)

    def evaluate(self, metric: Metric, segment: SegmentKey, span: Span) -> Value:
        """Compute a metric of a segment in a window."""
        return value_of(metric, SegmentReader(self, segment), span)

    def has_counted(self, metric: Metric, segment: SegmentKey, span: Span) -> bool:
        """Whether a count that the metric reads was ever counted there, even if it fell to 0."""
        reader = NotingReader(self, segment, set())
        value_of(metric, reader, span)
        return bool(reader.noted)

    def record(
        self,
        metric: Metric,
        segment: SegmentKey,
        span: Span,
        value: Value,
        *,
        window: Window,
        revision: int,
        is_final: bool,
        watermark: str | None,
    ) -> MetricRecord:
        """Build the record of a value."""
        site, dimension, label = segment
        return MetricRecord(
            metric=metric.name,
            value=value.value,
            unit=metric.unit,
            numerator=value.numerator,
            denominator=value.denominator,
            site=site,
            dimensions=_by_name(dimension, label) if dimension else {},
            window=window,
            revision=revision,
            is_final=is_final,
            approximate=metric.approximate,
            watermark=watermark,
            definition=self._definition,
            previous=self._previous(metric, segment, span),
        )

    def _previous(
        self, metric: Metric, segment: SegmentKey, span: Span
    ) -> float | int | UnsetType | None:
        if not self._compare or span.kind in ("all", "range"):
            return UNSET
        calendar = self.calendar(segment[0])
        before = span_at(span.kind, span.start_ms(calendar) - 1, calendar)
        return self.evaluate(metric, segment, before).value


def _by_name(dimension: str, label: str) -> dict[str, str]:
    """Split joint dimensions by name. The value of the last one may hold the joint."""
    names, parts = dimension.split(JOINED), label.split(JOINED, dimension.count(JOINED))
    if len(parts) < len(names):
        parts = [OTHER] * len(names)  # `other` stands for all of them.
    return dict(zip(names, parts, strict=True))
