"""Windowed counter tables: grain → bucket → series → count, and the changes since the last checkpoint."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from stream.counters.calendar import MINUTE_MS
from stream.counters.measures import Grain
from stream.counters.segments import Group

#: (grain, bucket index)
BucketKey = tuple[Grain, int]


class CounterChanges(NamedTuple):
    """Changes since the last checkpoint: counts as absolute values, and dropped buckets."""

    buckets: dict[BucketKey, dict[int, int]]
    dropped: set[BucketKey]


class Counters:
    """Integer counts by bucket; a bucket is dropped once no accepted event can reach it."""

    def __init__(self, grains: dict[str, tuple[Grain, ...]]) -> None:
        self._grains = grains
        self.tables: dict[Grain, dict[int, dict[int, int]]] = {grain: {} for grain in Grain}
        self.changed: dict[BucketKey, set[int]] = {}
        self.dropped: set[BucketKey] = set()

    def counts(self, measure: str) -> bool:
        """Return whether a metric needs the measure."""
        return measure in self._grains

    def add(self, measure: str, group: Group, minute: int, count: int) -> None:
        """Count at an epoch minute, in every grain that the measure's metrics need."""
        calendar = group.calendar
        day, hour = calendar.slot(minute * MINUTE_MS)
        for grain in self._grains.get(measure, ()):
            index = (minute, hour, day, 0)[grain]
            self.add_at(grain, index, group.series(measure), count)

    def add_range(
        self, grain: Grain, measure: str, group: Group, first: int, last: int, count: int
    ) -> None:
        """Count in every bucket from first to last; in none if last < first."""
        if measure in self._grains:
            series = group.series(measure)
            for index in range(first, last + 1):
                self.add_at(grain, index, series, count)

    def add_in(self, grain: Grain, index: int, measure: str, group: Group, count: int) -> None:
        """Count in one bucket, if a metric needs the measure at that grain."""
        if grain in self._grains.get(measure, ()):
            self.add_at(grain, index, group.series(measure), count)

    def add_at(self, grain: Grain, index: int, series: Iterable[int], count: int) -> None:
        """Count in one bucket for each of the series."""
        table = self.tables[grain]
        bucket = table.get(index)
        if bucket is None:
            bucket = table[index] = {}
            self.dropped.discard((grain, index))
        changed = self.changed.get((grain, index))
        if changed is None:
            changed = self.changed[grain, index] = set()
        for series_id in series:
            bucket[series_id] = bucket.get(series_id, 0) + count
            changed.add(series_id)

    def take_changes(self) -> CounterChanges:
        """Give up the changes since the last call."""
        tables = self.tables
        buckets = {
            (grain, index): {series: tables[grain][index][series] for series in changed}
            for (grain, index), changed in self.changed.items()
        }
        changes = CounterChanges(buckets, self.dropped)
        self.changed, self.dropped = {}, set()
        return changes

    def load(self, buckets: Mapping[BucketKey, dict[int, int]]) -> None:
        """Restore stored buckets."""
        for (grain, index), counts in buckets.items():
            self.tables[grain][index] = counts

    def prune(self, grain: Grain, before: int, levels: frozenset[int]) -> None:
        """Drop the buckets below an index; the series in `levels` are added to the oldest kept bucket."""
        table = self.tables[grain]
        if not table or min(table) >= before:
            return
        for index in sorted(index for index in table if index < before):
            bucket = table.pop(index)
            self.changed.pop((grain, index), None)
            self.dropped.add((grain, index))
            for series_id in levels.intersection(bucket):
                if bucket[series_id]:
                    self.add_at(grain, before, (series_id,), bucket[series_id])
