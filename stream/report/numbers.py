"""Evaluates the metrics over the counters of a report: one site after the other."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.outputs import MetricRecord, WindowKind
from stream.configure.fingerprints import definition_version
from stream.counters.calendar import MINUTE_MS
from stream.counters.measures import SCHEDULED, Grain
from stream.counters.table import BucketKey
from stream.engine.rules import Rules
from stream.engine.shard import Shard
from stream.metrics.metric import Metric
from stream.publish.merged_counts import MergedCounts, SeriesKey
from stream.publish.records import Emission
from stream.report.periods import Complete

_Buckets = dict[BucketKey, dict[SeriesKey, int]]


class Ends(NamedTuple):
    """Where the data of a site end, in epoch ms: the newest event, and what is known to be complete."""

    newest_ms: int
    complete_ms: int


class Numbers:
    """The numbers of a shard whose input is read to its end."""

    def __init__(self, shard: Shard, rules: Rules) -> None:
        self._rules = rules
        self._newest_ms = max(topic.clock for topic in shard.topics.values())
        self._sites = _by_site(shard)

    def sites(self) -> list[str]:
        """Return the sites with counts, in order."""
        return sorted(self._sites)

    def ends(self, site: str, until: Complete | None) -> Ends:
        """Return where the data of a site end. Without `until` they are complete to the newest event."""
        complete_ms = self._newest_ms
        if until is not None:
            complete_ms = until.ms_in(self._rules.calendar_of(site))
        return Ends(self._newest_ms, complete_ms)

    def records(
        self,
        metrics: Sequence[Metric],
        kinds: Collection[WindowKind] | None,
        until: Complete | None,
    ) -> Iterator[MetricRecord]:
        """Yield the records of these metrics in these kinds of windows.

        A window that is not over where the data are complete is not final. No window begins later.
        """
        for site in self.sites():
            ends = self.ends(site, until)
            merged, buckets = self._merged(site, ends)
            emission = Emission(merged, metrics, kinds, bounded=True)
            emission.note(buckets)
            known_ms = max(ends.newest_ms, ends.complete_ms - 1)
            for records in emission.due(ends.complete_ms, known_ms, revision=1):
                yield from records

    def _merged(self, site: str, ends: Ends) -> tuple[MergedCounts, _Buckets]:
        settings = self._rules.settings
        merged = MergedCounts(
            self._rules.calendar_of, definition_version(settings), settings.publish.compare
        )
        buckets = self._sites[site]
        known_ms = max(ends.newest_ms, ends.complete_ms - 1)
        early = _early(site, buckets, self._rules, known_ms)
        for key, counts in buckets.items():
            if taken := early.get(key):
                counts = {s: count - taken.get(s, 0) for s, count in counts.items()}
            merged.replace(key, [counts])
        return merged, buckets


def _by_site(shard: Shard) -> dict[str, _Buckets]:
    """Return site → bucket → series → count."""
    series = shard.registry.series
    found: dict[str, _Buckets] = {}
    for grain, table in shard.counters.tables.items():
        for index, counts in table.items():
            for number, count in counts.items():
                measure, *segment = series[number]
                site, dimension, value = segment
                bucket = found.setdefault(site, {}).setdefault((grain, index), {})
                bucket[measure, (site, dimension, value)] = count
    return found


def _early(
    site: str, buckets: Mapping[BucketKey, Mapping[SeriesKey, int]], rules: Rules, known_ms: int
) -> _Buckets:
    """Return the scheduled counts that are not due yet, in all buckets that hold them."""
    calendar, found = rules.calendar_of(site), _Buckets()
    for (grain, minute), counts in buckets.items():
        if grain is not Grain.MINUTE or minute * MINUTE_MS <= known_ms:
            continue
        day, hour = calendar.slot(minute * MINUTE_MS)
        for series, count in counts.items():
            if series[0] not in SCHEDULED:
                continue
            for key in (
                (Grain.MINUTE, minute), (Grain.HOUR, hour), (Grain.DAY, day), (Grain.ALL, 0),
            ):  # fmt: skip
                row = found.setdefault(key, {})
                row[series] = row.get(series, 0) + count
    return found
