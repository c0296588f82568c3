"""The page /metrics: families built at each scrape from the snapshot in memory, without I/O."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from stream.metrics.families import COUNTERS, FAMILIES
from stream.metrics.metric import JOINED, Metric
from stream.metrics.metric_families import segment_family, site_family, total_families
from stream.publish.snapshot import Snapshot
from stream.publish.staleness import Stale, StaleReason
from stream.web.data_quality import data_quality, label
from stream.worker.exposition import with_value, without_samples

#: Called at each scrape for the worker's own families.
Telemetry = Callable[[], Iterable[Family]]


class Staleness(Protocol):
    """Tells whether the numbers are live."""

    def current(self) -> list[Stale]:
        """Return every reason why the numbers are not live; empty if they are."""

    def is_withheld(self) -> bool:
        """Return whether the values are wrong or too old to be shown as live."""


class SnapshotCollector(Collector):
    """Turns the newest snapshot into families; one that is not live only into its timestamp."""

    def __init__(
        self,
        metrics: Sequence[Metric],
        snapshot: Callable[[], Snapshot | None],
        staleness: Staleness,
        telemetry: Telemetry,
    ) -> None:
        self._metrics = metrics
        self.snapshot = snapshot
        self._staleness = staleness
        self._telemetry = telemetry

    def describe(self) -> Iterator[Family]:
        """Yield nothing: registration must not evaluate the snapshot."""
        return iter(())

    def collect(self) -> Iterator[Family]:
        """Yield all families. Never waits, and never raises for lack of data."""
        yield from self._telemetry()
        yield from _stale(self._staleness.current())
        snapshot = self.snapshot()
        if snapshot is None:
            return
        taken = snapshot.taken_ms / 1000
        yield with_value(FAMILIES["engagement_snapshot_timestamp_seconds"], taken)
        if not self._staleness.is_withheld():
            yield from self._of_sites(snapshot)
            yield from self._of_segments(snapshot)
            yield from self._totals_of_segments(snapshot)
            yield from _counters(snapshot)
            yield from data_quality(snapshot)

    def _of_sites(self, snapshot: Snapshot) -> Iterator[Family]:
        known = {metric.name: site_family(metric) for metric in self._metrics}
        families = {name: without_samples(family) for name, family in known.items()}
        for found in snapshot.gauges:
            if not found.dimension and (family := families.get(found.metric)):
                labels = (label(found.site), found.window)
                family.add_metric(labels[: len(known[found.metric].labels)], found.value)
        yield from families.values()

    def _of_segments(self, snapshot: Snapshot) -> Iterator[Family]:
        families = {m.name: without_samples(segment_family(m)) for m in self._metrics}
        for found in snapshot.gauges:
            if found.dimension and (family := families.get(found.metric)):
                family.add_metric(_segment(found.site, found.dimension, found.label), found.value)
        yield from families.values()

    def _totals_of_segments(self, snapshot: Snapshot) -> Iterator[Family]:
        families = {
            name: without_samples(family)
            for metric in self._metrics
            for name, family in total_families(metric).items()
        }
        for found in snapshot.segment_counts:
            if family := families.get(found.name):
                family.add_metric(_segment(found.site, found.dimension, found.label), found.value)
        yield from families.values()


class Exporter:
    """The registry and its rendered page, cached: two scrapers cost one rendering.

    A page is served for a second, or until there is another snapshot.
    """

    def __init__(self, collector: SnapshotCollector) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._collector = collector
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        #: Content type → when the page was rendered, of which snapshot, and the page.
        self._cache: dict[str, tuple[float, Snapshot | None, bytes]] = {}

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the page and its content type, in the format that the scraper accepts."""
        encode, content_type = choose_encoder(accept)
        cached = self._cache.get(content_type)
        now, snapshot = time.monotonic(), self._collector.snapshot()
        if cached is None or now - cached[0] > 1.0 or cached[1] is not snapshot:
            cached = self._cache[content_type] = (now, snapshot, encode(self._registry))
        return cached[2], content_type


def _stale(reasons: Iterable[Stale]) -> Iterator[Family]:
    """Build 0 or 1 for every reason, so that an alert resolves, and the times of those that hold."""
    since = {one.reason: one.since_ms / 1000 for one in reasons}
    family = without_samples(FAMILIES["engagement_stale"])
    times = without_samples(FAMILIES["engagement_stale_since_timestamp_seconds"])
    for reason in StaleReason:
        family.add_metric((reason,), reason in since)
        if reason in since:
            times.add_metric((reason,), since[reason])
    yield from (family, times)


def _segment(site: str, *names: str) -> tuple[str, ...]:
    """Return the labels of a segment; joined dimensions are separated by a comma."""
    return label(site), *(label(name.replace(JOINED, ",")) for name in names)


def _counters(snapshot: Snapshot) -> Iterator[Family]:
    for measure, known in COUNTERS.items():
        family = without_samples(known)
        for count in snapshot.counts:
            if count.measure == measure:
                family.add_metric((label(count.site),), count.value)
        yield family
