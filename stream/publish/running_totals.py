"""Running totals: levels as sums over all days so far. A changed day costs only itself."""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate

from stream.counters.histogram import histogram_part
from stream.counters.measures import is_level

#: (measure, (site, dimension, value))
Series = tuple[str, tuple[str, str, str]]


class Levels:
    """Levels by day, from the day buckets of measures whose value is the sum of all buckets so far."""

    def __init__(self) -> None:
        #: Segments with a level, which have a value on every day.
        self.segments: set[tuple[str, str, str]] = set()
        self._by_day: dict[int, dict[Series, int]] = {}
        self._days: dict[Series, dict[int, int]] = {}
        self._sums: dict[Series, tuple[list[int], list[int]]] = {}
        #: Histograms that are levels: (name, segment) → numbers of buckets.
        self._parts: dict[Series, set[int]] = {}

    def replace(self, day: int, counts: Mapping[Series, int]) -> None:
        """Set what a day adds to the levels."""
        now = {series: count for series, count in counts.items() if is_level(series[0])}
        before = self._by_day.get(day, {})
        for series in before.keys() | now.keys():
            if before.get(series) != now.get(series):
                self._change(series, day, now.get(series))
        if now:
            self._by_day[day] = now
        else:
            self._by_day.pop(day, None)

    def forget_before(self, first: int) -> None:
        """Forget the days before one; shards have added them to the first day that they keep."""
        for day in [day for day in self._by_day if day < first]:
            self.replace(day, {})

    def changes(self, site: str, day: int) -> bool:
        """Whether a level of the whole site changes on a day."""
        of_day = self._by_day.get(day, {})
        return any(count and segment == (site, "", "") for (_, segment), count in of_day.items())

    def has(self, series: Series, day: int) -> bool:
        """Whether a series was counted on a day up to this one, also at 0."""
        return any(known <= day for known in self._days.get(series, ()))

    def at(self, series: Series, day: int) -> int:
        """Return the level at the end of a day."""
        found = self._sums.get(series)
        if found is None:
            added = self._days.get(series, {})
            days = sorted(added)
            found = self._sums[series] = (days, list(accumulate(map(added.__getitem__, days))))
        position = bisect_right(found[0], day)
        return found[1][position - 1] if position else 0

    def histogram(self, name: str, segment: tuple[str, str, str], day: int) -> dict[int, int]:
        """Return bucket → level at the end of a day, of a histogram."""
        return {
            part: self.at((f"{name}#{part}", segment), day)
            for part in self._parts.get((name, segment), ())
        }

    def _change(self, series: Series, day: int, count: int | None) -> None:
        measure, segment = series
        self.segments.add(segment)
        self._sums.pop(series, None)
        if found := histogram_part(measure):
            self._parts.setdefault((found[0], segment), set()).add(found[1])
        if count is None:
            self._days.get(series, {}).pop(day, None)
        else:
            self._days.setdefault(series, {})[day] = count
