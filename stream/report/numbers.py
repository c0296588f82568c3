"""Evaluates the metrics over the counters of a report: one site after the other."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from schemas.outputs import MetricRecord, Window, WindowKind
from stream.configure.fingerprints import definition_version
from stream.counters.calendar import MINUTE_MS
from stream.counters.measures import EVENTS, SCHEDULED, Grain
from stream.counters.table import BucketKey
from stream.counters.windows import GRAIN_OF, Span
from stream.engine.rules import Rules
from stream.engine.shard import Shard
from stream.metrics.metric import Metric, required_grains
from stream.metrics.ranges import over_all_days, over_range
from stream.publish.merged_counts import MergedCounts, SegmentKey, SeriesKey
from stream.publish.reader import value_of
from stream.publish.records import Emission
from stream.report.periods import Complete, DayRange

_Buckets = dict[BucketKey, dict[SeriesKey, int]]


class Ends(NamedTuple):
    """End of a site's data in epoch ms: its newest event, and the instant up to which it is complete."""

    newest_ms: int
    complete_ms: int

    @property
    def known_ms(self) -> int:
        """The newest instant of which something is known."""
        return max(self.newest_ms, self.complete_ms - 1)


class Numbers:
    """The numbers of a shard whose input is read to its end. With `days` only those of a range."""

    def __init__(self, shard: Shard, rules: Rules, days: DayRange | None = None) -> None:
        self._rules = rules
        self._days = days
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
            for records in emission.due(ends.complete_ms, ends.known_ms, revision=1):
                if records and self._is_inside(site, records[0].window):
                    yield from records
            if self._days is None and (kinds is None or "all" in kinds):
                over = [found for one in metrics if (found := over_all_days(one)) is not None]
                yield from self._over(over, merged, site, ends, "all")
            if self._days is not None and (kinds is None or "range" in kinds):
                over = [found for one in metrics if (found := over_range(one)) is not None]
                yield from self._over(over, merged, site, ends, "range")

    def has_range(self) -> bool:
        """Whether there is an event on a day of the range."""
        first, last = (self._days or DayRange()).days
        return any(
            grain is Grain.DAY and first <= day <= last and counts.get((EVENTS, (site, "", "")))
            for site, buckets in self._sites.items()
            for (grain, day), counts in buckets.items()
        )

    def _is_inside(self, site: str, window: Window) -> bool:
        """Whether a window lies in the range, if there is one."""
        if self._days is None:
            return True
        calendar = self._rules.calendar_of(site)
        if window.start is None or window.end is None:
            return False
        start, end = (
            round(datetime.fromisoformat(time).timestamp() * 1000)
            for time in (window.start, window.end)
        )
        first, last = self._days.days
        return first <= calendar.day_of(start) and calendar.day_of(end - 1) <= last

    def _over(
        self,
        metrics: Sequence[Metric],
        merged: MergedCounts,
        site: str,
        ends: Ends,
        kind: WindowKind,
    ) -> Iterator[MetricRecord]:
        """Yield the records of metrics over the range, or over all days; `kind` names their window."""
        calendar, days = merged.calendar(site), merged.days_with_events(site)
        if not days:
            return
        asked = self._days or DayRange()
        newest = calendar.day_of(ends.known_ms)
        span = Span("range", asked.first or min(days), asked.last or newest)
        window = span.window(calendar)
        if kind == "all":
            window = Window("all", None, None, calendar.timezone)
        is_over = span.end_ms(calendar) <= ends.complete_ms
        if kind == "all":
            is_over = ends.complete_ms > ends.newest_ms
        last_event = min(span.last, calendar.day_of(ends.newest_ms))
        for metric in metrics:
            last = min(span.last, newest)
            if metric.matures_days:
                last = min(last, calendar.day_of(ends.complete_ms) - 1 - metric.matures_days)
            if last < span.first:
                continue
            of_days = Span("range", span.first, last)
            for segment in self._segments(merged, site, span):
                if not metric.covers(segment[1]):
                    continue
                value = value_of(metric, merged.reader(segment), of_days)
                if segment[1] and value.is_empty:
                    continue
                yield merged.record(
                    metric, segment, of_days, value, window=window, revision=1,
                    is_final=is_over and last >= last_event,
                    watermark=calendar.rfc3339(ends.complete_ms),
                )  # fmt: skip

    def _segments(self, merged: MergedCounts, site: str, span: Span) -> list[SegmentKey]:
        return [(site, "", ""), *sorted(merged.segments_in(site, span))]

    def _merged(self, site: str, ends: Ends) -> tuple[MergedCounts, _Buckets]:
        settings = self._rules.settings
        merged = MergedCounts(
            self._rules.calendar_of, definition_version(settings), settings.publish.compare
        )
        buckets = self._sites[site]
        early = _early(site, buckets, self._rules, ends.known_ms)
        for key, counts in buckets.items():
            if taken := early.get(key):
                counts = {s: count - taken.get(s, 0) for s, count in counts.items()}
            merged.replace(key, [counts])
        return merged, buckets


def _by_site(shard: Shard) -> dict[str, _Buckets]:
    """Return site → bucket → series → count."""
    # One key for all buckets of a series.
    keys: dict[int, SeriesKey] = {
        number: (measure, (site, dimension, value))
        for number, (measure, site, dimension, value) in shard.registry.series.items()
    }
    found: dict[str, _Buckets] = {}
    for grain, table in shard.counters.tables.items():
        for index, counts in table.items():
            for number, count in counts.items():
                key = keys[number]
                site = key[1][0]
                found.setdefault(site, {}).setdefault((grain, index), {})[key] = count
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


def grains_of(
    metrics: Collection[Metric], days: DayRange | None, kinds: Collection[WindowKind] | None
) -> dict[str, tuple[Grain, ...]]:
    """Return the grains to count: what windows of these kinds need, and all of what may not be due yet."""
    over = over_all_days if days is None else over_range
    ranged = [found for metric in metrics if (found := over(metric)) is not None]
    unused = set[Grain]()
    if kinds is not None:
        unused = {Grain.MINUTE, Grain.HOUR} - {GRAIN_OF[kind] for kind in kinds if kind in GRAIN_OF}
    grains = {
        measure: tuple(grain for grain in own if grain not in unused)
        for measure, own in required_grains([*metrics, *ranged]).items()
    }
    # The hours with events say from when to when there are data.
    always: dict[str, tuple[Grain, ...]] = {EVENTS: (Grain.HOUR, Grain.DAY, Grain.ALL)}
    always |= {measure: tuple(Grain) for measure in SCHEDULED if measure in grains}
    return {m: tuple(sorted({*own, *always.get(m, ())})) for m, own in grains.items()}
