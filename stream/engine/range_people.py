"""Counts people once over a range of days, from what each of them counts on single days."""

from stream.counters import measures
from stream.counters.measures import Grain, in_range
from stream.counters.segments import Segment
from stream.counters.table import Counters
from stream.history.contributions import Contributions

_STAYS = frozenset({measures.CUSTOMERS_CHANGE, measures.CUSTOMER_ENDS, measures.INVOLUNTARY_ENDS})


class RangePeople:
    """Distinct people of a report's range: who counts on at least one of its days counts once.

    It follows the changes of each person's counts, so that any order of events gives the same numbers.
    It remembers every person of the range, which a report does anyway.
    """

    def __init__(self, counters: Counters, first: int, last: int) -> None:
        self._counters = counters
        self._first, self._last = first, last
        #: (person, measure, id of the segment) → days of the range on which the person counts.
        self._days: dict[tuple[str, str, int], int] = {}
        self._stays: dict[tuple[str, int], _Stay] = {}

    def add(self, who: str, change: Contributions) -> None:
        """Take over the change of a person's counts."""
        left: dict[tuple[str, int], Segment] = {}
        for measure, segment, day, count in change.by_day():
            if day > self._last:
                continue
            if measure in _STAYS:
                key = who, segment.id
                left[key] = segment
                stay = self._stays.get(key)
                if stay is None:
                    stay = self._stays[key] = _Stay()
                stay.add(measure, day, count, self._first)
            elif day >= self._first and self._counters.counts(in_range(measure)):
                self._add(who, measure, segment, count)
        for key, segment in left.items():
            for measure, by in self._stays[key].changes():
                self._count(measure, segment, by)

    def _add(self, who: str, measure: str, segment: Segment, days: int) -> None:
        key = who, measure, segment.id
        before = self._days.get(key, 0)
        after = self._days[key] = before + days
        if (before > 0) != (after > 0):
            self._count(measure, segment, 1 if after > 0 else -1)

    def _count(self, measure: str, segment: Segment, by: int) -> None:
        self._counters.add_in(Grain.ALL, 0, in_range(measure), segment, by)


class _Stay:
    """A customer at the start of a range, and the days of it on which they left."""

    __slots__ = ("at_start", "ends", "involuntary", "lost", "lost_involuntary")

    def __init__(self) -> None:
        self.at_start = 0
        self.ends: dict[int, int] = {}
        self.involuntary: dict[int, int] = {}
        self.lost = 0
        self.lost_involuntary = 0

    def add(self, measure: str, day: int, count: int, first: int) -> None:
        """Take over a change of a day."""
        if measure == measures.CUSTOMERS_CHANGE:
            if day < first:
                self.at_start += count
        elif day >= first:
            days = self.ends if measure == measures.CUSTOMER_ENDS else self.involuntary
            days[day] = days.get(day, 0) + count

    def changes(self) -> list[tuple[str, int]]:
        """Return what has changed of whether they are lost. The first end is that of the first stay."""
        days = [day for day, count in self.ends.items() if count > 0]
        lost = 1 if self.at_start > 0 and days else 0
        against = 1 if lost and self.involuntary.get(min(days), 0) > 0 else 0
        found = [
            (measures.LOST, lost - self.lost),
            (measures.LOST_INVOLUNTARY, against - self.lost_involuntary),
        ]
        self.lost, self.lost_involuntary = lost, against
        return [(measure, by) for measure, by in found if by]
