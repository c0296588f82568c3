"""Terms of formulas: ways to read a number for a window from additive buckets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from schemas.outputs import WindowKind
from stream.counters.measures import Grain, in_range
from stream.counters.windows import GRAIN_OF, Span

Need = tuple[str, Grain]


class Reader(Protocol):
    """Reads the counts of one segment."""

    @property
    def segment(self) -> tuple[str, str, str]:
        """(site, dimension, value); the dimension of the whole site is empty."""

    def of(self, dimension: str, value: str) -> "Reader":
        """Return a reader of another segment of the site."""

    def at(self, measure: str, grain: Grain, index: int) -> int:
        """Return the count in one bucket; 0 without one."""

    def total(self, measure: str, grain: Grain, first: int, last: int) -> int:
        """Add up the buckets first … last."""

    def level(self, measure: str, day: int) -> int:
        """Add up all day buckets up to and including a day."""

    def level_histogram(self, name: str, day: int) -> Mapping[int, int]:
        """Return histogram bucket → sum of all day buckets up to and including a day."""

    def histogram(self, name: str, grain: Grain, first: int, last: int) -> Mapping[int, int]:
        """Return histogram bucket → sum of the time buckets first … last."""


class Term(Protocol):
    """One number of a window. Terms are values, so that results can be cached by term."""

    def __hash__(self) -> int: ...

    def read(self, reader: Reader, span: Span) -> float:
        """Compute it for a segment and a window."""

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        """Yield the (measure, grain) pairs that it reads for a kind of window."""


@dataclass(frozen=True, slots=True)
class Total:
    """Sum of a measure over the window, times `scale`."""

    measure: str
    scale: float = 1

    def read(self, reader: Reader, span: Span) -> float:
        total = reader.total(self.measure, span.grain, span.first, span.last)
        return total * self.scale if self.scale != 1 else total

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield self.measure, GRAIN_OF[kind]


class Predicted(Total):
    """People counted by the prediction of a model, which is an estimate."""


@dataclass(frozen=True, slots=True)
class AtEnd:
    """Measure of rolling windows, read from the bucket with which the window ends."""

    measure: str
    scale: float = 1

    def read(self, reader: Reader, span: Span) -> float:
        count = reader.at(self.measure, span.grain, span.last)
        return count * self.scale if self.scale != 1 else count

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield self.measure, GRAIN_OF[kind]


@dataclass(frozen=True, slots=True)
class InRange:
    """Distinct people of a day measure over the range of a report, which counts them as it reads."""

    measure: str

    def read(self, reader: Reader, span: Span) -> float:
        return reader.at(in_range(self.measure), Grain.ALL, 0)

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield in_range(self.measure), Grain.ALL


@dataclass(frozen=True, slots=True)
class DaysBefore:
    """Measure of rolling windows, of the one that ended `days` days before the window does.

    The metric names the days in `looks_back_days`.
    """

    measure: str
    days: int

    def read(self, reader: Reader, span: Span) -> float:
        return reader.at(self.measure, Grain.DAY, span.last - self.days)

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield self.measure, Grain.DAY


@dataclass(frozen=True, slots=True)
class AtStart:
    """Measure of calendar windows, read from the bucket with which the window begins."""

    measure: str

    def read(self, reader: Reader, span: Span) -> float:
        return reader.at(self.measure, span.grain, span.first)

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield self.measure, GRAIN_OF[kind]


@dataclass(frozen=True, slots=True)
class Level:
    """Level at the end of the window, or at its start (the end of the day before)."""

    measure: str
    at_start: bool = False
    scale: float = 1

    def read(self, reader: Reader, span: Span) -> float:
        level = reader.level(self.measure, span.first - 1 if self.at_start else span.last)
        return level * self.scale if self.scale != 1 else level

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield self.measure, Grain.DAY


@dataclass(frozen=True, slots=True)
class Per:
    """Term counted in parts of its unit, `parts` of which make one: an amount in millionths.

    The division comes last. A product or a sum of fractions would show 17.94 as 17.939999999999998.
    """

    term: Term
    parts: int

    def read(self, reader: Reader, span: Span) -> float:
        return self.term.read(reader, span) / self.parts

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.term.needs(kind)


def read_parts(term: Term, reader: Reader, span: Span) -> tuple[float, int]:
    """Return (count, parts): what a term counts, and how much of it makes one unit."""
    if isinstance(term, Per):
        return term.term.read(reader, span), term.parts
    return term.read(reader, span), 1


@dataclass(frozen=True, slots=True)
class Sum:
    """One term plus (or minus) another."""

    left: Term
    right: Term
    sign: int = 1

    def read(self, reader: Reader, span: Span) -> float:
        return self.left.read(reader, span) + self.sign * self.right.read(reader, span)

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.left.needs(kind)
        yield from self.right.needs(kind)


@dataclass(frozen=True, slots=True, eq=False)
class ByWindow:
    """A term for each kind of window."""

    terms: Mapping[WindowKind, Term]

    def read(self, reader: Reader, span: Span) -> float:
        return self.terms[span.kind].read(reader, span)

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.terms[kind].needs(kind)


@dataclass(frozen=True, slots=True)
class Has:
    """1 if a term is positive, else 0: the denominator that makes an empty estimate null."""

    term: Term

    def read(self, reader: Reader, span: Span) -> float:
        return 1 if self.term.read(reader, span) > 0 else 0

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.term.needs(kind)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A term raised to at least `least` if it is above 0."""

    term: Term
    least: float

    def read(self, reader: Reader, span: Span) -> float:
        found = self.term.read(reader, span)
        return max(found, self.least) if found > 0 else found

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.term.needs(kind)


@dataclass(frozen=True, slots=True)
class Quotient:
    """One term divided by another; 0 if that is 0: see `Has`."""

    top: Term
    bottom: Term
    scale: float = 1

    def read(self, reader: Reader, span: Span) -> float:
        bottom = self.bottom.read(reader, span)
        return self.scale * self.top.read(reader, span) / bottom if bottom else 0

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.top.needs(kind)
        yield from self.bottom.needs(kind)


@dataclass(frozen=True, slots=True)
class DailyRates:
    """Sum of the rates of the days of a window: count of the day ÷ level at its start.

    With `known` it is 1 if a day has a level to divide by, else 0.
    """

    measure: str
    level: str
    known: bool = False

    def read(self, reader: Reader, span: Span) -> float:
        rates = [
            reader.at(self.measure, Grain.DAY, day) / level
            for day in range(span.first, span.last + 1)
            if (level := reader.level(self.level, day - 1)) > 0
        ]
        return bool(rates) * 1 if self.known else sum(rates)

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield self.measure, Grain.DAY
        yield self.level, Grain.DAY


@dataclass(frozen=True, slots=True)
class Product:
    """A term times a number, and times another term if one is given."""

    left: Term
    right: Term | None = None
    scale: float = 1

    def read(self, reader: Reader, span: Span) -> float:
        right = self.right.read(reader, span) if self.right is not None else 1
        return self.left.read(reader, span) * right * self.scale

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield from self.left.needs(kind)
        if self.right is not None:
            yield from self.right.needs(kind)
