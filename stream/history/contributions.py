"""Changes of counts, collected over many events: segments and grains are filled once a checkpoint."""

from collections import Counter
from collections.abc import Iterator

from stream.counters.calendar import MINUTE_MS
from stream.counters.measures import Grain
from stream.counters.segments import Group, Segment, SegmentSet
from stream.counters.table import Counters

#: (measure, segment, grain, bucket index) → count
Expanded = Counter[tuple[str, Segment, Grain, int]]


class Contributions:
    """Signed changes by group: what one event adds and another takes back is never counted.

    A group is a segment set, or one segment.
    """

    __slots__ = ("days", "instants", "levels", "totals")

    def __init__(self) -> None:
        #: (measure, epoch minute) → group → count, in the buckets of every grain
        self.instants: dict[tuple[str, int], dict[Group, int]] = {}
        #: (measure, first day, last day) → group → count, on each of these days
        self.days: dict[tuple[str, int, int], dict[Group, int]] = {}
        #: (measure, first day, end) → group → count, added on the first day and taken away at the end
        self.levels: dict[tuple[str, int, int], dict[Group, int]] = {}
        #: Measure → group → count, over all time only
        self.totals: dict[str, dict[Group, int]] = {}

    def at(self, measure: str, group: Group, time_ms: int, count: int = 1) -> None:
        """Count at an instant in epoch ms, in the buckets of every grain."""
        key = measure, time_ms // MINUTE_MS
        groups = self.instants.get(key)
        if groups is None:
            groups = self.instants[key] = {}
        groups[group] = groups.get(group, 0) + count

    def on(self, measure: str, group: Group, day: int, count: int = 1) -> None:
        """Count on a day, given as an ordinal."""
        self.during(measure, group, day, day, count)

    def during(self, measure: str, group: Group, first: int, last: int, count: int) -> None:
        """Count on each day from first to last; on none if last < first."""
        if last < first:
            return
        key = measure, first, last
        groups = self.days.get(key)
        if groups is None:
            groups = self.days[key] = {}
        groups[group] = groups.get(group, 0) + count

    def between(self, measure: str, group: Group, first: int, end: int, count: int) -> None:
        """Raise a level from a day on, until before the day `end`."""
        key = measure, first, end
        groups = self.levels.get(key)
        if groups is None:
            groups = self.levels[key] = {}
        groups[group] = groups.get(group, 0) + count

    def ever(self, measure: str, group: Group, count: int) -> None:
        """Count over all time, and in no smaller window."""
        groups = self.totals.get(measure)
        if groups is None:
            groups = self.totals[measure] = {}
        groups[group] = groups.get(group, 0) + count

    def flush(self, counters: Counters) -> None:
        """Turn the changes into counts, and forget them."""
        for (measure, minute), groups in self.instants.items():
            if counters.counts(measure):
                for segment, count in _by_segment(groups):
                    counters.add(measure, segment, minute, count)
        self._flush_days(counters)
        for measure, groups in self.totals.items():
            if counters.counts(measure):
                for segment, count in _by_segment(groups):
                    counters.add_in(Grain.ALL, 0, measure, segment, count)
        self.instants.clear()
        self.totals.clear()

    def _flush_days(self, counters: Counters) -> None:
        for (measure, first, last), groups in self.days.items():
            if counters.counts(measure):
                for segment, count in _by_segment(groups):
                    for day in range(first, last + 1):
                        counters.add_in(Grain.DAY, day, measure, segment, count)
        for (measure, first, end), groups in self.levels.items():
            if counters.counts(measure):
                for segment, count in _by_segment(groups):
                    counters.add_in(Grain.DAY, first, measure, segment, count)
                    counters.add_in(Grain.DAY, end, measure, segment, -count)
        self.days.clear()
        self.levels.clear()

    def merge(self, other: "Contributions") -> None:
        """Add the changes of another collector."""
        for (measure, minute), groups in other.instants.items():
            for group, count in groups.items():
                self.at(measure, group, minute * MINUTE_MS, count)
        for (measure, first, last), groups in other.days.items():
            for group, count in groups.items():
                self.during(measure, group, first, last, count)
        for (measure, first, end), groups in other.levels.items():
            for group, count in groups.items():
                self.between(measure, group, first, end, count)
        for measure, groups in other.totals.items():
            for group, count in groups.items():
                self.ever(measure, group, count)

    def by_day(self) -> Iterator[tuple[str, Segment, int, int]]:
        """Yield (measure, segment, day, count) of each change of a day."""
        for (measure, segment, grain, day), count in self.expanded().items():
            if grain is Grain.DAY:
                yield measure, segment, day, count

    def expanded(self) -> Expanded:
        """Return the changes by measure, segment, grain and bucket, without those that cancel out."""
        found: Expanded = Counter()
        for (measure, minute), groups in self.instants.items():
            for segment, count in _by_segment(groups):
                day, hour = segment.calendar.slot(minute * MINUTE_MS)
                found[measure, segment, Grain.MINUTE, minute] += count
                found[measure, segment, Grain.HOUR, hour] += count
                found[measure, segment, Grain.DAY, day] += count
                found[measure, segment, Grain.ALL, 0] += count
        for (measure, first, last), groups in self.days.items():
            for segment, count in _by_segment(groups):
                for day in range(first, last + 1):
                    found[measure, segment, Grain.DAY, day] += count
        for (measure, first, end), groups in self.levels.items():
            for segment, count in _by_segment(groups):
                found[measure, segment, Grain.DAY, first] += count
                found[measure, segment, Grain.DAY, end] -= count
        for measure, groups in self.totals.items():
            for segment, count in _by_segment(groups):
                found[measure, segment, Grain.ALL, 0] += count
        return Counter({key: count for key, count in found.items() if count})


def _by_segment(groups: dict[Group, int]) -> list[tuple[Segment, int]]:
    """Return the counts of segments, without those that cancel out."""
    found: dict[Segment, int] = {}
    for group, count in groups.items():
        if not count:
            continue
        if isinstance(group, SegmentSet):
            for segment in group.segments:
                found[segment] = found.get(segment, 0) + count
        else:
            found[group] = found.get(group, 0) + count
    return [(segment, count) for segment, count in found.items() if count]
