"""Counts people once over a range of days, in each segment in which they are active there."""

from stream.counters.measures import Grain, in_range
from stream.counters.segments import SegmentSet, by_segment
from stream.counters.table import Counters
from stream.people.active_days import Bitmap, has_any


class RangeDays:
    """Distinct people over the range of a report: the first new active day in it counts them."""

    def __init__(self, measure: str, first: int, last: int) -> None:
        """`measure` counts these people by day."""
        self._measure = in_range(measure)
        self._first, self._last = first, last
        self._people: dict[SegmentSet, int] = {}

    def note(self, group: SegmentSet, bitmap: Bitmap | None, day: int) -> None:
        """Note a newly active day of a person with these active days."""
        if self._first <= day <= self._last and not has_any(bitmap, self._first, self._last):
            self._people[group] = self._people.get(group, 0) + 1

    def flush(self, counters: Counters) -> None:
        """Count the people noted."""
        for segment, people in by_segment(self._people).items():
            counters.add_in(Grain.ALL, 0, self._measure, segment, people)
        self._people.clear()
