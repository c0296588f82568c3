"""Days on which a person counts in one segment, and the windows in which that counts them once."""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping

from stream.counters.segments import Segment
from stream.history.events import Contributions, on
from stream.people.active_days import FAR, windows_gained


class DistinctDays:
    """The days of one person in one segment, and how much counts on each.

    A day that is new, or that is no longer one, changes the windows between it and its neighbours.
    `rolling`: length of a rolling window in days → its measure, counted on the day on which the window ends;
    `AtEnd` reads it. `periods`: measure → first day of the period that contains a day.
    """

    __slots__ = ("_held", "_of_periods", "_ordered", "_periods", "_rolling", "_segment")

    def __init__(
        self,
        segment: Segment,
        rolling: Mapping[int, str],
        periods: Mapping[str, Callable[[int], int]],
    ) -> None:
        self._segment = segment
        self._rolling = rolling
        self._periods = periods
        self._held: dict[int, int] = {}
        self._ordered: list[int] = []
        self._of_periods: dict[tuple[str, int], int] = {}

    def add(self, day: int, counts: Contributions | None) -> None:
        """Count once more on a day. `counts` takes the change; None: it is known already."""
        held = self._held.get(day, 0)
        self._held[day] = held + 1
        if held:
            return
        if counts is not None:
            self._count(counts, day, 1)
        insort(self._ordered, day)
        self._count_periods(counts, day, 1)

    def remove(self, day: int, counts: Contributions | None) -> None:
        """Count once less on a day."""
        held = self._held.pop(day)
        if held > 1:
            self._held[day] = held - 1
            return
        del self._ordered[bisect_left(self._ordered, day)]
        if counts is not None:
            self._count(counts, day, -1)
        self._count_periods(counts, day, -1)

    def _count(self, counts: Contributions, day: int, by: int) -> None:
        """Change the rolling windows by a day that is not among the others."""
        ordered = self._ordered
        place = bisect_left(ordered, day)
        before = min(day - ordered[place - 1], FAR) if place else FAR
        after = min(ordered[place] - day, FAR) if place < len(ordered) else FAR
        for length, measure in self._rolling.items():
            first, last = windows_gained(day, before, after, length)
            for end in range(first, last + 1):
                on(counts, measure, self._segment, end, by)

    def _count_periods(self, counts: Contributions | None, day: int, by: int) -> None:
        for measure, period_of in self._periods.items():
            key = measure, period_of(day)
            before = self._of_periods.get(key, 0)
            self._of_periods[key] = before + by
            if counts is not None and not before + min(by, 0):
                on(counts, measure, self._segment, key[1], by)
