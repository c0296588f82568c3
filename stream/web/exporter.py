"""The Prometheus page: families built at each scrape from the snapshot in memory, without any I/O."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from stream.metrics.metric import COUNTERS, JOINED, Metric
from stream.publish.snapshot import Snapshot
from stream.web.data_quality import PREFIX, data_quality, gauge, label

COUNTER_HELP = {
    "events": "Accepted events.",
    "bot_events": "Accepted events of bots, which count nowhere else.",
    "excluded_events": "Accepted events of internal traffic, which count nowhere else.",
    "page_views": "Pages shown.",
    "clicks": "Clicks on content.",
    "impressions": "Times that content was shown.",
    "sessions": "Closed sessions. When a late event joins two, it waits until that is made up.",
    "viewed_sessions": "Closed sessions with a page view.",
    "bounced_sessions": "Closed sessions that ended where they began.",
}
#: Called at each scrape for the worker's own families.
Telemetry = Callable[[], Iterable[Family]]


class SnapshotCollector(Collector):
    """Turns the newest snapshot into families. One older than its limit keeps only its timestamp."""

    def __init__(
        self,
        metrics: Sequence[Metric],
        snapshot: Callable[[], Snapshot | None],
        max_age_seconds: float,
        telemetry: Telemetry,
    ) -> None:
        self._metrics = metrics
        self._snapshot = snapshot
        self._max_age_seconds = max_age_seconds
        self._telemetry = telemetry

    def describe(self) -> Iterator[Family]:
        """SegmentRegistry without samples: registration must not evaluate anything."""
        return iter(())

    def collect(self) -> Iterator[Family]:
        """All families; nothing here waits or raises for want of data."""
        yield from self._telemetry()
        snapshot = self._snapshot()
        if snapshot is None:
            return
        taken = snapshot.taken_ms / 1000
        yield gauge("snapshot_timestamp_seconds", "When the numbers were computed.", taken)
        if time.time() - taken <= self._max_age_seconds:
            yield from self._of_sites(snapshot)
            yield from self._of_segments(snapshot)
            yield from self._totals_of_segments(snapshot)
            yield from _counters(snapshot)
            yield from data_quality(snapshot)

    def _of_sites(self, snapshot: Snapshot) -> Iterator[Family]:
        families: dict[str, GaugeMetricFamily] = {}
        for metric in self._metrics:
            labels = ["site", "window"] if len(metric.windows) > 1 else ["site"]
            families[metric.name] = GaugeMetricFamily(
                PREFIX + metric.gauge, metric.help, labels=labels
            )
        for found in snapshot.gauges:
            if not found.dimension and (family := families.get(found.metric)):
                values = (label(found.site), found.window)[: len(family._labelnames)]  # noqa: SLF001
                family.add_metric(values, found.value)
        yield from families.values()

    def _of_segments(self, snapshot: Snapshot) -> Iterator[Family]:
        """Under names of their own: a segment's people are among the site's, and must not add up."""
        families: dict[str, GaugeMetricFamily] = {}
        for metric in self._metrics:
            families[metric.name] = GaugeMetricFamily(
                f"{PREFIX}segment_{metric.gauge}",
                f"{metric.help} By value of a dimension.",
                labels=["site", "dimension", "value"],
            )
        for found in snapshot.gauges:
            if found.dimension and (family := families.get(found.metric)):
                family.add_metric(_segment(found.site, found.dimension, found.label), found.value)
        yield from families.values()

    def _totals_of_segments(self, snapshot: Snapshot) -> Iterator[Family]:
        families: dict[str, CounterMetricFamily] = {}
        for metric in self._metrics:
            for name, part in zip(metric.totals or (), ("Numerator", "Denominator"), strict=False):
                families[name] = CounterMetricFamily(
                    f"{PREFIX}segment_{name}",
                    f"{part} of the {metric.gauge} since counting began, by value of a dimension.",
                    labels=["site", "dimension", "value"],
                )
        for found in snapshot.segment_counts:
            if family := families.get(found.name):
                family.add_metric(_segment(found.site, found.dimension, found.label), found.value)
        yield from families.values()


class Exporter:
    """The registry and its rendered page, cached for a moment so that two scrapers cost one rendering."""

    def __init__(self, collector: SnapshotCollector) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._cache: dict[str, tuple[float, bytes]] = {}

    def render(self, accept: str) -> tuple[bytes, str]:
        """(page, content type) in the format that the scraper asks for."""
        encode, content_type = choose_encoder(accept)
        cached = self._cache.get(content_type)
        now = time.monotonic()
        if cached is None or now - cached[0] > 1.0:
            cached = self._cache[content_type] = (now, encode(self._registry))
        return cached[1], content_type


def _segment(site: str, *names: str) -> tuple[str, ...]:
    """The labels of a segment; dimensions that come together are named together."""
    return label(site), *(label(name.replace(JOINED, ",")) for name in names)


def _counters(snapshot: Snapshot) -> Iterator[Family]:
    for measure in COUNTERS:
        family = CounterMetricFamily(PREFIX + measure, COUNTER_HELP[measure], labels=["site"])
        for count in snapshot.counts:
            if count.measure == measure:
                family.add_metric((label(count.site),), count.value)
        yield family


def main_gauge(metric: Metric) -> tuple[str, list[str]]:
    """The family in which a metric is found first, and its labels: what has no number for a site as
    a whole is found by segment."""
    if not metric.plain:
        return f"{PREFIX}segment_{metric.gauge}", ["site", "dimension", "value"]
    return PREFIX + metric.gauge, ["site", "window"] if len(metric.windows) > 1 else ["site"]
