"""Windows of time: the buckets of each window, and the instants at which it begins and ends."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.outputs import Window, WindowKind
from stream.counters.calendar import MINUTE_MS, Calendar
from stream.counters.measures import Grain

#: Window kind → grain of its buckets.
GRAIN_OF: dict[WindowKind, Grain] = {
    "minute": Grain.MINUTE,
    "trailing_5m": Grain.MINUTE,
    "trailing_30m": Grain.MINUTE,
    "trailing_1h": Grain.MINUTE,
    "hour": Grain.HOUR,
    "trailing_24h": Grain.HOUR,
    "trailing_168h": Grain.HOUR,
    "day": Grain.DAY,
    "week": Grain.DAY,
    "month": Grain.DAY,
    "trailing_7d": Grain.DAY,
    "trailing_28d": Grain.DAY,
    "trailing_30d": Grain.DAY,
    "trailing_90d": Grain.DAY,
    "trailing_365d": Grain.DAY,
    "all": Grain.ALL,
    "range": Grain.DAY,
}
#: Kinds that a metric can have. A range is what somebody asks for.
KINDS: tuple[WindowKind, ...] = tuple(kind for kind in GRAIN_OF if kind != "range")
#: Rolling window kind → number of buckets.
LENGTH_OF: dict[WindowKind, int] = {
    "trailing_5m": 5, "trailing_30m": 30, "trailing_1h": 60, "trailing_24h": 24,
    "trailing_168h": 168, "trailing_7d": 7, "trailing_28d": 28, "trailing_30d": 30,
    "trailing_90d": 90, "trailing_365d": 365,
}  # fmt: skip
#: Kinds of windows made of rolling hours, see `Calendar.rolling_hour_of`.
_ROLLING_HOURS = frozenset(kind for kind in LENGTH_OF if GRAIN_OF[kind] is Grain.HOUR)
#: Length in days → kind of the rolling window with that length.
ROLLING_DAYS: dict[int, WindowKind] = {
    length: kind for kind, length in LENGTH_OF.items() if GRAIN_OF[kind] is Grain.DAY
}


class Span(NamedTuple):
    """A window as its first and last bucket. An hour bucket is the epoch minute at which it begins."""

    kind: WindowKind
    first: int
    last: int

    @property
    def grain(self) -> Grain:
        """Grain of the window's buckets."""
        return GRAIN_OF[self.kind]

    def start_ms(self, calendar: Calendar) -> int:
        """Return the window's first instant, in epoch ms."""
        if self.grain is Grain.DAY:
            return calendar.day_start_ms(self.first)
        return self.first * MINUTE_MS

    def end_ms(self, calendar: Calendar) -> int:
        """Return the first instant after the window, in epoch ms; 2^62 for `all`, which has no end."""
        if self.grain is Grain.DAY:
            return calendar.day_start_ms(self.last + 1)
        if self.kind == "hour":
            return calendar.hour_end_ms(self.last)
        if self.grain is Grain.HOUR:
            return (self.last + 60) * MINUTE_MS
        return (self.last + 1) * MINUTE_MS if self.kind != "all" else 1 << 62

    def window(self, calendar: Calendar) -> Window:
        """Return the window in the form of metric records."""
        if self.kind == "all":
            return Window("all", None, None, calendar.timezone)
        return Window(
            self.kind,
            calendar.rfc3339(self.start_ms(calendar)),
            calendar.rfc3339(self.end_ms(calendar)),
            calendar.timezone,
        )


def span_at(kind: WindowKind, time_ms: int, calendar: Calendar) -> Span:
    """Return the window of a kind whose last bucket, or calendar period, contains an instant in epoch ms."""
    if kind == "all":
        return Span(kind, 0, 0)
    day, hour = calendar.slot(time_ms)
    index = {Grain.DAY: day, Grain.HOUR: hour}.get(GRAIN_OF[kind], time_ms // MINUTE_MS)
    if kind in _ROLLING_HOURS:
        index = calendar.rolling_hour_of(time_ms)
    return ending(kind, index, calendar)


def ending(kind: WindowKind, index: int, calendar: Calendar) -> Span:
    """Return the rolling window that ends with a bucket, or the calendar window that contains it.

    A rolling window of hours ends with the rolling hour in which the bucket begins.
    """
    if kind in _ROLLING_HOURS:
        index = calendar.rolling_hour_of(index * MINUTE_MS)
    if kind == "week":
        first = calendar.week_of(index)
        return Span(kind, first, first + 6)
    if kind == "month":
        return Span(kind, calendar.month_of(index), calendar.next_month(index) - 1)
    return Span(kind, index - (LENGTH_OF.get(kind, 1) - 1) * step(kind), index)


def step(kind: WindowKind) -> int:
    """Return the distance between the indexes of two neighbouring buckets."""
    return 60 if GRAIN_OF[kind] is Grain.HOUR else 1


def before(span: Span, buckets: int = 1) -> Span:
    """Return the window of the same kind and length that ends `buckets` buckets earlier."""
    back = buckets * step(span.kind)
    return Span(span.kind, span.first - back, span.last - back)


def holding(kind: WindowKind, grain: Grain, index: int, calendar: Calendar) -> Iterator[Span]:
    """Yield every window of a kind that contains a bucket; nothing for a bucket of another grain."""
    if GRAIN_OF[kind] is not grain or kind == "range":
        return
    if kind == "all":
        yield Span(kind, 0, 0)
        return
    beyond = index + LENGTH_OF.get(kind, 1) * step(kind)
    for last in range(index, beyond, step(kind)):
        yield ending(kind, last, calendar)
