"""Index of aggregates of the days on which a person does something."""

from collections.abc import Callable, Iterable

from stream.counters.segments import Group, Segment, SegmentRegistry, SegmentSet
from stream.history.contributions import Contributions
from stream.history.distinct_days import DayWindows, DistinctDays
from stream.history.events import EachEntry, HistoryEntry
from stream.history.groups import Groups

#: Returns the groups of segments in which an entry counts its person; no segment is in two.
GroupsOf = Callable[[HistoryEntry, SegmentRegistry], Iterable[Group]]
#: Returns the windows of a group; those of all segment sets of a site are the same.
WindowsOf = Callable[[Group], DayWindows]


class DayIndex(EachEntry):
    """The days of a person in each group."""

    __slots__ = ("_groups_of", "_of_sets", "_own", "_registry", "_windows_of")

    def __init__(
        self, groups_of: GroupsOf, windows_of: WindowsOf, registry: SegmentRegistry
    ) -> None:
        self._groups_of = groups_of
        self._windows_of = windows_of
        self._registry = registry
        self._of_sets: Groups[DistinctDays] | None = None
        #: Days of each own segment, such as a goal: it is in no segment set.
        self._own: dict[Segment, DistinctDays] = {}

    def take(self, entry: HistoryEntry, counts: Contributions | None) -> None:
        for group in self._groups_of(entry, self._registry):
            day = group.calendar.day_of(entry[0])
            if isinstance(group, SegmentSet):
                if self._of_sets is None:
                    self._of_sets = Groups(DistinctDays(group, self._windows_of(group)))
                for days in self._of_sets.of(group):
                    days.change(day, 1, counts)
            else:
                own = self._own.get(group)
                if own is None:
                    own = self._own[group] = DistinctDays(group, self._windows_of(group))
                own.change(day, 1, counts)
