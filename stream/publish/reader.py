"""Reads the counts of one segment for formulas; a window is summed once for all metrics."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol, Self

from stream.counters.histogram import histogram_part
from stream.counters.measures import Grain
from stream.counters.windows import Span
from stream.metrics.metric import Metric
from stream.metrics.terms import Reader, read_parts

#: (site, dimension, value)
_Segment = tuple[str, str, str]
#: (measure, segment)
_Series = tuple[str, _Segment]


class Counted(Protocol):
    """Merged counts as a reader uses them."""

    def at(self, series: _Series, grain: Grain, index: int) -> int:
        """Return the count of one series in one bucket."""

    def counts(self, segment: _Segment, grain: Grain, first: int, last: int) -> Mapping[str, int]:
        """Return measure → sum over the buckets first … last of a segment."""

    def level(self, series: _Series, day: int) -> int:
        """Add up a series over all day buckets up to and including a day."""

    def has_level(self, series: _Series, day: int) -> bool:
        """Whether a series was counted on a day up to this one."""

    def level_histogram(self, name: str, segment: _Segment, day: int) -> Mapping[int, int]:
        """Return histogram bucket → sum over all day buckets up to and including a day."""


class Value(NamedTuple):
    """A metric's value in one window for one segment; None if the denominator is 0."""

    value: float | None
    numerator: float
    denominator: float | None

    @property
    def is_empty(self) -> bool:
        """Whether numerator and denominator are 0."""
        return not self.numerator and not self.denominator


def value_of(metric: Metric, reader: Reader, span: Span) -> Value:
    """Compute a metric's value in a window. All ratios are divided here."""
    top, parts = read_parts(metric.numerator, reader, span)
    numerator = top / parts if parts > 1 else top
    if metric.denominator is None:
        return Value(numerator, numerator, None)
    bottom, bottom_parts = read_parts(metric.denominator, reader, span)
    # Parts are divided once, so that a mean of amounts has no digits that they have not.
    value = top * bottom_parts / (bottom * parts) if bottom else None
    return Value(value, numerator, bottom / bottom_parts if bottom_parts > 1 else bottom)


class SegmentReader:
    """Reader of one segment's counts for the terms of formulas; sums are kept for all metrics."""

    __slots__ = ("_merged", "_others", "_parts", "_segment", "_totals")

    def __init__(self, merged: Counted, segment: _Segment) -> None:
        self._merged = merged
        self._segment = segment
        self._totals: dict[tuple[Grain, int, int], Mapping[str, int]] = {}
        #: Histograms in these sums, by name.
        self._parts: dict[tuple[Grain, int, int], dict[str, dict[int, int]]] = {}
        self._others: dict[tuple[str, str], Self] = {}

    @property
    def segment(self) -> _Segment:
        return self._segment

    def of(self, dimension: str, value: str) -> Self:
        other = self._others.get((dimension, value))
        if other is None:
            other = self._others[dimension, value] = self._of((self._segment[0], dimension, value))
        return other

    def _of(self, segment: _Segment) -> Self:
        return type(self)(self._merged, segment)

    def at(self, measure: str, grain: Grain, index: int) -> int:
        return self._merged.at((measure, self._segment), grain, index)

    def total(self, measure: str, grain: Grain, first: int, last: int) -> int:
        return self._counts(grain, first, last).get(measure, 0)

    def _counts(self, grain: Grain, first: int, last: int) -> Mapping[str, int]:
        found = self._totals.get((grain, first, last))
        if found is None:
            found = self._merged.counts(self._segment, grain, first, last)
            self._totals[grain, first, last] = found
        return found

    def level(self, measure: str, day: int) -> int:
        return self._merged.level((measure, self._segment), day)

    def level_histogram(self, name: str, day: int) -> Mapping[int, int]:
        return self._merged.level_histogram(name, self._segment, day)

    def histogram(self, name: str, grain: Grain, first: int, last: int) -> Mapping[int, int]:
        found = self._parts.get((grain, first, last))
        if found is None:
            found = self._parts[grain, first, last] = {}
            for measure, count in self._counts(grain, first, last).items():
                if part := histogram_part(measure):
                    found.setdefault(part[0], {})[part[1]] = count
        return found.get(name, {})


class NotingReader(SegmentReader):
    """Reader that also notes which of the series it reads were ever counted."""

    __slots__ = ("noted",)

    def __init__(self, merged: Counted, segment: _Segment, noted: set[_Series]) -> None:
        super().__init__(merged, segment)
        self.noted = noted

    def _of(self, segment: _Segment) -> "NotingReader":
        return NotingReader(self._merged, segment, self.noted)

    def at(self, measure: str, grain: Grain, index: int) -> int:
        return self.total(measure, grain, index, index)

    def total(self, measure: str, grain: Grain, first: int, last: int) -> int:
        counts = self._counts(grain, first, last)
        if measure in counts:
            self.noted.add((measure, self._segment))
        return counts.get(measure, 0)

    def level(self, measure: str, day: int) -> int:
        series = measure, self._segment
        if self._merged.has_level(series, day):
            self.noted.add(series)
        return super().level(measure, day)

    def level_histogram(self, name: str, day: int) -> Mapping[int, int]:
        return self._noted(name, super().level_histogram(name, day))

    def histogram(self, name: str, grain: Grain, first: int, last: int) -> Mapping[int, int]:
        return self._noted(name, super().histogram(name, grain, first, last))

    def _noted(self, name: str, found: Mapping[int, int]) -> Mapping[int, int]:
        if found:
            self.noted.add((name, self._segment))
        return found
