"""The merged counts of all shards, and the metrics computed from them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from schemas.outputs import MetricRecord, Window
from stream import measures
from stream.calendar import MINUTE_MS, Calendar
from stream.counters import BucketKey
from stream.levels import Levels
from stream.measures import Grain
from stream.metrics.metric import JOINED, Metric
from stream.names import OTHER
from stream.windows import Span, span_at, step

#: (site, dimension, value); the whole site has no dimension.
SegmentKey = tuple[str, str, str]
#: (measure, segment)
SeriesKey = tuple[str, SegmentKey]
Bucket = Mapping[SeriesKey, int]


class Value(NamedTuple):
    """A metric's value in one window for one segment; `value` is None when there is nothing to divide by."""

    value: float | None
    numerator: float
    denominator: float | None

    @property
    def is_empty(self) -> bool:
        """Nothing was counted."""
        return not self.numerator and not self.denominator


class Board:
    """Counts by bucket and series, merged over the shards: everything published is a sum."""

    def __init__(
        self, calendar_of: Callable[[str], Calendar], definition: str, compare: bool = False
    ) -> None:
        """`compare`: records carry the value of the window before."""
        self._compare = compare
        self._calendar_of = calendar_of
        self._definition = definition
        self._tables: dict[Grain, dict[int, dict[SeriesKey, int]]] = {g: {} for g in Grain}
        self._histograms: dict[BucketKey, dict[SeriesKey, dict[int, int]]] = {}
        self._present: dict[BucketKey, frozenset[SegmentKey]] = {}
        self._levels = Levels()
        self.segments: dict[SegmentKey, None] = {}

    def replace(self, bucket: BucketKey, parts: Iterable[Bucket]) -> None:
        """Set a bucket to the sum of what each shard has in it."""
        total: dict[SeriesKey, int] = {}
        histograms: dict[SeriesKey, dict[int, int]] = {}
        for part in parts:
            for series, count in part.items():
                total[series] = total.get(series, 0) + count
        for (measure, segment), count in total.items():
            if segment not in self.segments:
                self.segments[segment] = None
            if found := measures.histogram_part(measure):
                histograms.setdefault((found[0], segment), {})[found[1]] = count
        self._histograms[bucket] = histograms
        self._present[bucket] = frozenset(segment for (_, segment), n in total.items() if n)
        grain, index = bucket
        if total:
            self._tables[grain][index] = total
        else:
            self._tables[grain].pop(index, None)
        if grain is Grain.DAY:
            self._levels.replace(index, total)

    def forget_before(self, grain: Grain, first: int) -> None:
        """Forget the buckets below an index: no window that can still change is made of them."""
        for index in [index for index in self._tables[grain] if index < first]:
            del self._tables[grain][index]
            self._histograms.pop((grain, index), None)
            self._present.pop((grain, index), None)
        if grain is Grain.DAY:
            self._levels.forget_before(first)

    def calendar(self, site: str) -> Calendar:
        """The calendar of a site."""
        return self._calendar_of(site)

    def sites(self) -> Iterator[str]:
        """Every site that has counted something."""
        return (site for site, dimension, _ in self.segments if not dimension)

    def at(self, series: SeriesKey, grain: Grain, index: int) -> int:
        """Count of one series in one bucket."""
        bucket = self._tables[grain].get(index)
        return bucket.get(series, 0) if bucket else 0

    def total(self, series: SeriesKey, grain: Grain, first: int, last: int) -> int:
        """Sum of one series over the buckets first … last."""
        get, total = self._tables[grain].get, 0
        for index in range(first, last + 1):
            bucket = get(index)
            if bucket and series in bucket:
                total += bucket[series]
        return total

    def has_all_hours(self, site: str, hour: int) -> bool:
        """Whether the hours of an hour's day are all here: they count the events that the day counts.

        In a fast replay a shard may drop hours before they are read; they must not look empty.
        """
        calendar = self._calendar_of(site)
        day = calendar.day_of(hour * MINUTE_MS)
        series = (measures.EVENTS, (site, "", ""))
        first, end = calendar.day_start_ms(day), calendar.day_start_ms(day + 1)
        hours = range(first // MINUTE_MS, end // MINUTE_MS, 60)
        counted = sum(self.at(series, Grain.HOUR, index) for index in hours)
        return counted == self.at(series, Grain.DAY, day)

    def histogram(self, series: SeriesKey, grain: Grain, index: int) -> Mapping[int, int]:
        """Histogram bucket → count of one histogram in one time bucket."""
        return self._histograms.get((grain, index), {}).get(series, {})

    def has_events(self, site: str, grain: Grain, index: int) -> bool:
        """Whether the site has accepted an event in a bucket."""
        return self.at((measures.EVENTS, (site, "", "")), grain, index) > 0

    def days_with_events(self, site: str) -> list[int]:
        """The days on which the site has accepted events."""
        return [day for day in self._tables[Grain.DAY] if self.has_events(site, Grain.DAY, day)]

    def segments_in(self, site: str, span: Span, *, emptied: bool = False) -> set[SegmentKey]:
        """The site's segments (not the whole site) that count something in a window.

        `emptied`: also those whose every count has fallen to zero.
        """
        present = set(self._levels.segments) if span.grain is Grain.DAY else set()
        for index in range(span.first, span.last + 1, step(span.kind)):
            present |= self._present.get((span.grain, index), frozenset())
            if emptied:
                present |= {segment for _, segment in self._tables[span.grain].get(index, ())}
        return {segment for segment in present if segment[0] == site and segment[1]}

    def has_levels(self, site: str, day: int) -> bool:
        """Whether a level of the site changes on a day."""
        return self._levels.changes(site, day)

    def level(self, series: SeriesKey, day: int) -> int:
        """Sum of a series over all day buckets up to and including a day."""
        return self._levels.at(series, day)

    def has_level(self, series: SeriesKey, day: int) -> bool:
        """Whether a series has been counted on any day up to one."""
        return self._levels.has(series, day)

    def level_histogram(self, name: str, segment: SegmentKey, day: int) -> Mapping[int, int]:
        """Histogram bucket → sum over all day buckets up to and including a day."""
        return self._levels.histogram(name, segment, day)

    def evaluate(self, metric: Metric, segment: SegmentKey, span: Span) -> Value:
        """A metric of a segment in a window. The one place where a ratio is computed."""
        reader = _SegmentReader(self, segment)
        numerator = metric.numerator.read(reader, span)
        if metric.denominator is None:
            return Value(numerator, numerator, None)
        denominator = metric.denominator.read(reader, span)
        return Value(numerator / denominator if denominator else None, numerator, denominator)

    def has_counted(self, metric: Metric, segment: SegmentKey, span: Span) -> bool:
        """Whether a metric has ever had anything to count there: a count that fell to zero stays."""
        reader = _NotingReader(self, segment, set())
        metric.numerator.read(reader, span)
        if metric.denominator is not None:
            metric.denominator.read(reader, span)
        return bool(reader.noted)

    def is_counted(self, series: SeriesKey, grain: Grain, index: int) -> bool:
        """Whether a bucket has a count of a series, be it zero."""
        return series in self._tables[grain].get(index, ())

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
        """A value as it is published."""
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
        if not self._compare or span.kind == "all":
            return UNSET
        calendar = self.calendar(segment[0])
        before = span_at(span.kind, span.start_ms(calendar) - 1, calendar)
        return self.evaluate(metric, segment, before).value


def _by_name(dimension: str, label: str) -> dict[str, str]:
    """Dimensions that come together, one by one. The last one's value may hold anything."""
    names, parts = dimension.split(JOINED), label.split(JOINED, dimension.count(JOINED))
    if len(parts) < len(names):
        parts = [OTHER] * len(names)  # What does not fit under their cap stands there together.
    return dict(zip(names, parts, strict=True))


class _SegmentReader:
    """The counts of one segment, as the terms of a formula read them."""

    __slots__ = ("_board", "_segment")

    def __init__(self, board: Board, segment: SegmentKey) -> None:
        self._board = board
        self._segment = segment

    @property
    def segment(self) -> SegmentKey:
        return self._segment

    def of(self, dimension: str, value: str) -> "_SegmentReader":
        return _SegmentReader(self._board, (self._segment[0], dimension, value))

    def at(self, measure: str, grain: Grain, index: int) -> int:
        return self._board.at((measure, self._segment), grain, index)

    def total(self, measure: str, grain: Grain, first: int, last: int) -> int:
        return self._board.total((measure, self._segment), grain, first, last)

    def level(self, measure: str, day: int) -> int:
        return self._board.level((measure, self._segment), day)

    def level_histogram(self, name: str, day: int) -> Mapping[int, int]:
        return self._board.level_histogram(name, self._segment, day)

    def histogram(self, name: str, grain: Grain, index: int) -> Mapping[int, int]:
        return self._board.histogram((name, self._segment), grain, index)


class _NotingReader(_SegmentReader):
    """Also notes what of that which was read has ever been counted."""

    __slots__ = ("noted",)

    def __init__(self, board: Board, segment: SegmentKey, noted: set[SeriesKey]) -> None:
        super().__init__(board, segment)
        self.noted = noted

    def of(self, dimension: str, value: str) -> "_NotingReader":
        return _NotingReader(self._board, (self._segment[0], dimension, value), self.noted)

    def at(self, measure: str, grain: Grain, index: int) -> int:
        return self.total(measure, grain, index, index)

    def total(self, measure: str, grain: Grain, first: int, last: int) -> int:
        series = measure, self._segment
        indexes = range(first, last + 1)
        if any(self._board.is_counted(series, grain, index) for index in indexes):
            self.noted.add(series)
        return super().total(measure, grain, first, last)

    def level(self, measure: str, day: int) -> int:
        series = measure, self._segment
        if self._board.has_level(series, day):
            self.noted.add(series)
        return super().level(measure, day)

    def level_histogram(self, name: str, day: int) -> Mapping[int, int]:
        found = super().level_histogram(name, day)
        self.noted |= {(name, self._segment)} if found else set()
        return found

    def histogram(self, name: str, grain: Grain, index: int) -> Mapping[int, int]:
        found = super().histogram(name, grain, index)
        self.noted |= {(name, self._segment)} if found else set()
        return found
