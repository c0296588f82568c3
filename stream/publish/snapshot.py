"""The snapshot: the current numbers, computed once and served by every worker."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from schemas.outputs import WindowKind
from stream.counters.measures import EVENTS, PAGE_VIEWS, Grain
from stream.counters.sites import OTHER
from stream.counters.windows import LENGTH_OF, Span, before, ending, span_at
from stream.metrics.families import COUNTERS
from stream.metrics.metric import Metric
from stream.publish.merged_counts import MergedCounts, SegmentKey
from stream.publish.reader import SegmentReader, value_of
from stream.publish.staleness import Stale

#: Days that a gauge goes back to find one with results of the model.
_LATE_DAYS = 4
#: Dimension of the events of sites beyond the cap.
SITE = "site"


class Gauge(msgspec.Struct, array_like=True, frozen=True):
    """Value of a metric in a window, of a site or, if the dimension is not empty, of a segment."""

    metric: str
    window: WindowKind
    site: str
    dimension: str
    label: str
    value: float


class Count(msgspec.Struct, array_like=True, frozen=True):
    """Total of a measure of a site since counting began. It survives restarts, like the checkpoints."""

    measure: str
    site: str
    value: int


class SegmentCount(msgspec.Struct, array_like=True, frozen=True):
    """Total of a segment since counting began; `name` is one of a metric's `totals`."""

    name: str
    site: str
    dimension: str
    label: str
    value: float


class ShardView(msgspec.Struct, array_like=True, frozen=True):
    """State of a shard in its last checkpoint."""

    partition: int
    watermark_ms: int | None
    open_sessions: int
    sessions_reopened: int
    evictions: int
    dedupe_capped: int


class HeavyPerson(msgspec.Struct, array_like=True, frozen=True):
    """The person who sends the most events of a shard, as a digest."""

    partition: int
    digest: str
    #: Share of the shard's events in the last minutes.
    ratio: float
    per_second: float


class Snapshot(msgspec.Struct, frozen=True):
    """All published numbers at one moment. Times are epoch ms."""

    taken_ms: int
    newest_ms: int
    watermark_ms: int | None
    revision: int
    gauges: list[Gauge]
    counts: list[Count]
    #: Kafka records of all shards: by outcome, and dead letters by reason.
    outcomes: dict[str, int]
    reasons: dict[str, int]
    #: Offsets passed less outcomes. Any other value than 0 is a defect.
    unaccounted: int
    shards: list[ShardView]
    #: Headlines in the window before.
    previous: list[Gauge] = []
    #: Metric records of this publisher, by RecordOutcome.
    records: dict[str, int] = {}
    #: Events counted under `other`, by dimension (as the measure) and site.
    folded: list[Count] = []
    #: Totals of metrics with `totals`, by segment.
    segment_counts: list[SegmentCount] = []
    #: Sites and segments whose gauges are withheld, because others take `limits.series_max`.
    segments_withheld: int = 0
    #: Reasons why these numbers are not live, as the publisher knows them.
    stale: list[Stale] = []
    #: People who send much of their shard's events, the one with the most events first.
    heaviest: list[HeavyPerson] = []


def main_window(metric: Metric) -> WindowKind:
    """Return the window of a metric's segments: the day, or else the first of its windows."""
    return "day" if "day" in metric.windows else metric.windows[0]


def gauges(
    merged: MergedCounts,
    metrics: Sequence[Metric],
    newest_ms: int,
    segments: Sequence[SegmentKey] | None = None,
) -> Iterator[Gauge]:
    """Yield every metric in its current windows, except those without a value; of `segments` in order."""
    merged.reach(newest_ms)
    spans: dict[tuple[str, str, WindowKind], Span] = {}
    covering: dict[str, list[Metric]] = {}
    for segment in list(merged.segments) if segments is None else segments:
        site, dimension, _ = segment
        if dimension not in covering:
            covering[dimension] = [metric for metric in metrics if metric.covers(dimension)]
        reader = merged.reader(segment)
        for metric in covering[dimension]:
            for kind in (main_window(metric),) if dimension else metric.windows:
                span = spans.get((site, metric.name, kind))
                if span is None or metric.gauge_complete:
                    span = gauge_span(merged, metric, reader, kind, newest_ms)
                    spans[site, metric.name, kind] = span
                value = value_of(metric, reader, span).value
                if value is not None:
                    yield Gauge(metric.name, kind, *segment, value)


def counts(merged: MergedCounts, sites: Iterable[str]) -> Iterator[Count]:
    """Yield the totals of sites that become Prometheus counters."""
    for site in sites:
        for measure in COUNTERS:
            yield Count(measure, site, merged.at((measure, (site, "", "")), Grain.ALL, 0))


def segment_counts(
    merged: MergedCounts, metrics: Sequence[Metric], segments: Sequence[SegmentKey]
) -> Iterator[SegmentCount]:
    """Yield the totals, by segment, of the metrics with `totals`."""
    for metric in metrics:
        if metric.totals is None:
            continue
        for segment in segments:
            site, dimension, label = segment
            if dimension and metric.covers(dimension):
                value = merged.evaluate(metric, segment, span_at("all", 0, merged.calendar(site)))
                found = (value.numerator, value.denominator or 0)
                for name, count in zip(metric.totals, found, strict=True):
                    yield SegmentCount(name, site, dimension, label, count)


def folded(merged: MergedCounts, segments: Iterable[SegmentKey]) -> Iterator[Count]:
    """Yield the events under the value `other` of each dimension, and of the site `other`; of pages, the views."""
    for segment in segments:
        site, dimension, value = segment
        if value == OTHER:
            events, views = (
                merged.at((measure, segment), Grain.ALL, 0) for measure in (EVENTS, PAGE_VIEWS)
            )
            yield Count(dimension, site, events or views)
        elif site == OTHER and not dimension:
            yield Count(SITE, site, merged.at((EVENTS, segment), Grain.ALL, 0))


def gauge_span(
    merged: MergedCounts, metric: Metric, reader: SegmentReader, kind: WindowKind, newest_ms: int
) -> Span:
    """Return the window of a kind that the gauge shows at an instant."""
    site, _, _ = reader.segment
    calendar = merged.calendar(site)
    span = span_at(kind, newest_ms, calendar)
    newest = span.last if kind in LENGTH_OF else span.first
    if metric.matures_days:
        return ending(kind, newest - 1 - metric.matures_days, calendar)
    if metric.gauge_complete:
        last = ending(kind, newest - 1, calendar)
        if metric.computed:
            return _computed(merged, metric, site, last)
        # A count of 0 is a value; a ratio without cases has none, and shows the current window.
        if metric.denominator is None or not value_of(metric, reader, last).is_empty:
            return last
    return span


def _computed(merged: MergedCounts, metric: Metric, site: str, last: Span) -> Span:
    """Return the last window with results of the model, up to _LATE_DAYS back."""
    for ago in range(_LATE_DAYS):
        if merged.at((metric.computed, (site, "", "")), last.grain, last.last - ago):
            return before(last, ago)
    return last


encode_snapshot = msgspec.msgpack.Encoder().encode
decode_snapshot = msgspec.msgpack.Decoder(Snapshot).decode
