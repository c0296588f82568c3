"""Days on which a person counts in a group of segments, and the windows in which that counts them once."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from stream.counters.segments import Group
from stream.history.contributions import Contributions
from stream.history.groups import GroupState
from stream.people.active_days import FAR, windows_gained


class DayWindows:
    """The windows in which days count.

    `rolling`: (length in days, measure) of windows, counted on the day on which the window ends; `AtEnd` reads
    it. `periods`: (measure, first day of the period that contains a day).
    """

    __slots__ = ("periods", "rolling")

    def __init__(
        self,
        rolling: Sequence[tuple[int, str]],
        periods: Sequence[tuple[str, Callable[[int], int]]] = (),
    ) -> None:
        self.rolling = tuple(rolling)
        self.periods = tuple(periods)


class DistinctDays(GroupState):
    """The days of one person in a group of segments, and how much counts on each.

    A day that is new, or that is no longer one, changes the windows between it and its neighbours.
    """

    __slots__ = ("_held", "_ordered", "_windows")

    def __init__(self, group: Group, windows: DayWindows) -> None:
        super().__init__(group)
        self._windows = windows
        self._ordered: list[int] = []
        #: How much counts on each of the days.
        self._held: list[int] = []

    def new(self, group: Group) -> "DistinctDays":
        """Return the state of a group without days."""
        return DistinctDays(group, self._windows)

    def copy(self, group: Group) -> "DistinctDays":
        """Return a copy for a part of the group."""
        found = DistinctDays(group, self._windows)
        found._ordered, found._held = self._ordered[:], self._held[:]
        return found

    def change(self, day: int, by: int, counts: Contributions | None) -> None:
        """Count once more or once less on a day. `counts` takes the change; None: it is known already."""
        ordered, held = self._ordered, self._held
        place = bisect_left(ordered, day)
        if place == len(ordered) or ordered[place] != day:
            if counts is not None:
                self._count(counts, place, day, by)
            ordered.insert(place, day)
            held.insert(place, by)
            return
        held[place] += by
        if not held[place]:
            del ordered[place], held[place]
            if counts is not None:
                self._count(counts, place, day, by)

    def _count(self, counts: Contributions, place: int, day: int, by: int) -> None:
        """Change the windows by a day that is not among the others, before the one at `place`."""
        ordered, group = self._ordered, self.group
        has_before, has_after = place > 0, place < len(ordered)
        before = min(day - ordered[place - 1], FAR) if has_before else FAR
        after = min(ordered[place] - day, FAR) if has_after else FAR
        for length, measure in self._windows.rolling:
            first, last = windows_gained(day, before, after, length)
            counts.during(measure, group, first, last, by)
        for measure, period_of in self._windows.periods:
            period = period_of(day)
            if has_before and period_of(ordered[place - 1]) == period:
                continue
            if not has_after or period_of(ordered[place]) != period:
                counts.on(measure, group, period, by)
