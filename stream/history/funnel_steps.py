"""Steps of a funnel that a person reached: on each day of entry, in 28 days, and ever."""

from stream.counters.segments import SegmentRegistry
from stream.history.contributions import Contributions
from stream.history.distinct_days import DayWindows, DistinctDays

#: Day that stands for all days.
EVER = 0
#: Distinct people who got to a step: by day of entry, in 28 days, ever.
REACHED_1D = "funnel_people_1d"
REACHED_28D = "funnel_people_28d"
REACHED_ALL = "funnel_people_all"
_WINDOWS = DayWindows(((1, REACHED_1D), (28, REACHED_28D)))


class FunnelSteps:
    """The days on which the person began attempts that got to each step."""

    __slots__ = ("_days", "_dimension", "_label", "_registry")

    def __init__(self, dimension: str, label: str, registry: SegmentRegistry) -> None:
        """`label` begins the name of a step in its dimension; the number follows."""
        self._dimension = dimension
        self._label = label
        self._registry = registry
        self._days: dict[int, DistinctDays] = {}

    def count(self, site: str, day: int, step: int, by: int, counts: Contributions | None) -> None:
        """Count the person at a step, for attempts that began on a day; EVER: for any attempt."""
        days = self._days.get(step)
        if days is None:
            segment = self._registry.own_segment(site, self._dimension, f"{self._label}{step}")
            days = self._days[step] = DistinctDays(segment, _WINDOWS)
        if day != EVER:
            days.change(day, by, counts)
        elif counts is not None:
            counts.ever(REACHED_ALL, days.group, by)
