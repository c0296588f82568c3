"""Amount that a person spent in the last 365 days, as a level of each day."""

from bisect import bisect_left
from functools import lru_cache
from math import isqrt

from stream.counters.histogram import duration_bucket, histogram_measure
from stream.counters.segments import Group
from stream.history.contributions import Contributions

#: People with an order in the last 365 days, their revenue in these, and its histogram.
BUYERS_365D = "level_buyers_365d"
REVENUE_365D_MICROS = "level_revenue_365d_micros"
SPENT_365D = "level_spent_365d"
YEAR_DAYS = 365
_CENT_MICROS = 10_000


class _Level:
    """Orders and money of the 365 days that end on a day, and the bounds within which its bucket stays."""

    __slots__ = ("bucket", "high", "low", "micros", "orders")

    def __init__(
        self, orders: int = 0, micros: int = 0, bucket: int = 0, low: int = 0, high: int = 0
    ) -> None:
        self.orders = orders
        self.micros = micros
        self.bucket = bucket
        self.low = low
        self.high = high

    def copy(self) -> "_Level":
        """Return a copy."""
        return _Level(self.orders, self.micros, self.bucket, self.low, self.high)

    def fit(self) -> None:
        """Find the bucket of the money."""
        self.bucket = duration_bucket(self.micros // _CENT_MICROS)
        self.low, self.high = _bounds(self.bucket)


class Spending:
    """The days on which the spending of one person in one group changes: by orders, and a year after them.

    An order changes the level of at most a year of such days. Most stay in their bucket.
    """

    __slots__ = ("_days", "_levels")

    def __init__(self) -> None:
        self._days: list[int] = []
        #: Level from each day on, until the next one.
        self._levels: list[_Level] = []

    def copy(self) -> "Spending":
        """Return a copy."""
        found = Spending()
        found._days = self._days[:]
        found._levels = [level.copy() for level in self._levels]
        return found

    def add(
        self,
        group: Group,
        first: int,
        end: int,
        orders: int,
        micros: int,
        counts: Contributions | None,
    ) -> None:
        """Add orders and money to the levels from a day on, until before the day `end`.

        `counts` takes the change; None: it is known already.
        """
        place = self._place(first)
        for number in range(place, self._place(end)):
            level = self._levels[number]
            before, had_orders = level.bucket, level.orders
            level.orders += orders
            level.micros += micros
            if not level.low <= level.micros < level.high:
                level.fit()
            if counts is None or (
                before == level.bucket and (had_orders != 0) == (level.orders != 0)
            ):
                continue
            if had_orders:
                self._count(counts, group, number, before, -1)
            if level.orders:
                self._count(counts, group, number, level.bucket, 1)
        if counts is not None:
            counts.between(REVENUE_365D_MICROS, group, first, end, micros)

    def _place(self, day: int) -> int:
        """Return the place of a day. A new one begins with the level of the day before it."""
        place = bisect_left(self._days, day)
        if place == len(self._days) or self._days[place] != day:
            self._days.insert(place, day)
            self._levels.insert(place, self._levels[place - 1].copy() if place else _Level())
        return place

    def _count(
        self, counts: Contributions, group: Group, number: int, bucket: int, by: int
    ) -> None:
        """Count a level of a bucket, from its day until the next."""
        measure = histogram_measure(SPENT_365D, bucket)
        first, end = self._days[number], self._days[number + 1]
        counts.between(measure, group, first, end, by)
        counts.between(BUYERS_365D, group, first, end, by)


@lru_cache(maxsize=1_024)
def _bounds(bucket: int) -> tuple[int, int]:
    """Return the lowest millionths of a bucket, and those of the first amount beyond it."""
    if not bucket:
        return -1 << 62, _CENT_MICROS
    return (_cents_below(bucket - 1) + 1) * _CENT_MICROS, (_cents_below(bucket) + 1) * _CENT_MICROS


def _cents_below(bits: int) -> int:
    """Return the highest number whose eighth power fits into `bits` bits."""
    return isqrt(isqrt(isqrt((1 << bits) - 1)))
