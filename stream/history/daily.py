"""Aggregates of the days on which a person does something, in each segment."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from stream.counters.calendar import Calendar
from stream.counters.segments import Segment, SegmentRegistry
from stream.history.distinct_days import DistinctDays
from stream.history.events import Aggregate, Contributions, HistoryEntry, Index


class Daily(Aggregate):
    """Aggregate in which only the day of an event matters: equal events of a day are one entry."""

    def segments(self, entry: HistoryEntry, registry: SegmentRegistry) -> Iterable[Segment]:
        """Return the segments in which an entry counts its person."""
        raise NotImplementedError

    def rolling(self, segment: Segment) -> Mapping[int, str]:
        """Return the rolling windows of a segment: length in days → measure."""
        raise NotImplementedError

    def periods(self, segment: Segment) -> Mapping[str, Callable[[int], int]]:  # noqa: ARG002
        """Return the calendar periods of a segment: measure → first day of the period of a day."""
        return {}

    def entry_ms(self, time_ms: int, calendar: Calendar) -> int:
        """Return the first instant of the event's day."""
        return calendar.day_start_ms(calendar.day_of(time_ms))

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an index of days by segment."""
        return _DayIndex(self, registry)


class _DayIndex:
    """The days of a person in each segment."""

    __slots__ = ("_aggregate", "_days", "_registry")

    def __init__(self, aggregate: Daily, registry: SegmentRegistry) -> None:
        self._aggregate = aggregate
        self._registry = registry
        self._days: dict[Segment, DistinctDays] = {}

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        self._take(entries, None)

    def add(self, new: Sequence[HistoryEntry]) -> Contributions:
        """Take in new entries, and return the change of the counts."""
        counts: Contributions = Contributions()
        self._take(new, counts)
        return counts

    def _take(self, entries: Iterable[HistoryEntry], counts: Contributions | None) -> None:
        aggregate = self._aggregate
        for entry in entries:
            for segment in aggregate.segments(entry, self._registry):
                days = self._days.get(segment)
                if days is None:
                    rolling, periods = aggregate.rolling(segment), aggregate.periods(segment)
                    days = self._days[segment] = DistinctDays(segment, rolling, periods)
                days.add(segment.calendar.day_of(entry[0]), counts)
