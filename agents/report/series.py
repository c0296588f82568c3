"""Series of a metric over the days, weeks or months of a report, from its records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal, NamedTuple

from schemas.outputs import MetricRecord, WindowKind
from stream.counters.windows import LENGTH_OF

Step = Literal["day", "week", "month"]
STEPS: tuple[Step, ...] = ("day", "week", "month")
#: Kinds of windows from the longest to the shortest, as an overview prefers them.
BY_LENGTH: tuple[WindowKind, ...] = (
    "trailing_365d", "trailing_90d", "trailing_30d", "trailing_28d", "month", "trailing_7d", "week",
    "day",
)  # fmt: skip
#: Sums of floats may differ in their last digits.
_EQUAL = 1e-9


class Days(NamedTuple):
    """First and last day, both included."""

    first: date
    last: date

    def each(self) -> Iterator[date]:
        """Yield every day."""
        return (self.first + timedelta(days=number) for number in range(self.length))

    @property
    def length(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    def holds(self, other: "Days") -> bool:
        """Whether the other days are all among these."""
        return self.first <= other.first and other.last <= self.last


class Timed(NamedTuple):
    """A record and the days of its window, in the zone of its site."""

    days: Days
    record: MetricRecord


class Numbers(NamedTuple):
    """Records of one metric, site and segment: of the window `all`, and by kind of those of days."""

    whole: MetricRecord | None
    of_days: Mapping[WindowKind, Sequence[Timed]]


def numbers_of(records: Iterable[MetricRecord]) -> Numbers:
    """Group the records of one metric, site and segment; windows shorter than a day are left out."""
    whole = None
    found: dict[WindowKind, list[Timed]] = {}
    for record in records:
        kind = record.window.kind
        if kind == "all":
            whole = record
        elif kind in BY_LENGTH:
            found.setdefault(kind, []).append(Timed(_days_of(record), record))
    return Numbers(whole, found)


def _days_of(record: MetricRecord) -> Days:
    times = record.window.start, record.window.end
    first, end = (date.fromisoformat((time or "")[:10]) for time in times)
    return Days(first, end - timedelta(days=1))


def value_over(days: Iterable[Timed]) -> float | None:
    """Add up the days of a metric that adds up; None without a denominator."""
    numerator = denominator = 0.0
    is_ratio = False
    for _, record in days:
        numerator += record.numerator or 0
        if record.denominator is not None:
            is_ratio = True
            denominator += record.denominator
    if is_ratio:
        return numerator / denominator if denominator else None
    return numerator


def adds_up(own: Numbers) -> bool:
    """Whether the days of a metric add up to its window `all`."""
    if own.whole is None or "day" not in own.of_days:
        return False
    days = [record for _, record in own.of_days["day"]]
    pairs = [(own.whole.numerator, sum(record.numerator or 0 for record in days))]
    if own.whole.denominator is not None:
        pairs.append((own.whole.denominator, sum(record.denominator or 0 for record in days)))
    return all(
        abs((total or 0) - added) <= _EQUAL * max(abs(total or 0), 1) for total, added in pairs
    )


def steps_of(step: Step, days: Days, first_weekday: int) -> list[Days]:
    """List the whole days, weeks or months among these days."""
    found = []
    begin = days.first
    while begin <= days.last:
        if step == "day":
            one = Days(begin, begin)
        elif step == "week":
            start = begin - timedelta(days=(begin.weekday() - first_weekday) % 7)
            one = Days(start, start + timedelta(days=6))
        else:
            start = begin.replace(day=1)
            one = Days(start, (start + timedelta(days=31)).replace(day=1) - timedelta(days=1))
        if days.holds(one):
            found.append(one)
        begin = one.last + timedelta(days=1)
    return found


def series(own: Numbers, step: Step, spans: Sequence[Days]) -> list[float | None]:
    """Return a metric's value in each of these days, weeks or months.

    A metric without such windows adds up its days. If it cannot, it shows the mean of its days, or its
    last rolling window in each.
    """
    if step in own.of_days and step != "day":
        by_days = {days: record.value for days, record in own.of_days[step]}
        return [by_days.get(span) for span in spans]
    by_end = {days.last: (days, record) for days, record in own.of_days.get("day", ())}
    if by_end:
        read = value_over if adds_up(own) else _mean
        return [
            read([Timed(*by_end[day]) for day in span.each() if day in by_end]) for span in spans
        ]
    kind = next((kind for kind in BY_LENGTH if kind in LENGTH_OF and kind in own.of_days), None)
    if kind is None:
        return [None] * len(spans)
    latest = {days.last: record.value for days, record in own.of_days[kind]}
    return [latest.get(span.last) for span in spans]


def _mean(days: Sequence[Timed]) -> float | None:
    known = [record.value for _, record in days if record.value is not None]
    return sum(known) / len(known) if known else None
