"""Aggregates of the days on which a person does something, in each segment."""

from collections.abc import Iterable

from stream.counters.calendar import Calendar
from stream.counters.segments import Group, SegmentRegistry
from stream.history.aggregates.aggregate import Aggregate
from stream.history.day_index import DayIndex
from stream.history.distinct_days import DayWindows
from stream.history.events import HistoryEntry, Index


class Daily(Aggregate):
    """Aggregate in which only the day of an event matters: equal events of a day are one entry."""

    shifts_time = True

    def groups(self, entry: HistoryEntry, registry: SegmentRegistry) -> Iterable[Group]:
        """Return the groups of segments in which an entry counts its person; no segment is in two."""
        raise NotImplementedError

    def windows(self, group: Group) -> DayWindows:
        """Return the windows of a group; those of all segment sets of a site are the same."""
        raise NotImplementedError

    def entry_ms(self, time_ms: int, calendar: Calendar) -> int:
        """Return the first instant of the event's day."""
        return calendar.day_start_ms(calendar.day_of(time_ms))

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an index of days by group."""
        return DayIndex(self.groups, self.windows, registry)
