"""The metrics page omits unknown values: a time of 0 would read as half a century ago."""

from types import SimpleNamespace
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry
from stream.metrics.catalogue import catalogue
from stream.metrics.families import COUNTERS, PREFIX
from stream.metrics.metric_families import all_families
from stream.publish.snapshot import Count, Gauge, HeavyPerson, SegmentCount, Snapshot
from stream.publish.staleness import Stale
from stream.settings.application import Settings
from stream.store.memory import Memory
from stream.web.exporter import Exporter, SnapshotCollector
from stream.worker.status import OwnerCounts
from stream.worker.telemetry import Telemetry
from tests.staleness import LIVE, Known


def page(newest_ms: int, watermark_ms: int | None) -> str:
    snapshot = Snapshot(2**52, newest_ms, watermark_ms, 1, [], [], {}, {}, 0, [])
    collector = SnapshotCollector(catalogue(Settings()), lambda: snapshot, LIVE, lambda: iter(()))
    return rendered(collector)


def rendered(collector: SnapshotCollector) -> str:
    return Exporter(collector).render("text/plain")[0].decode()


def samples(page: str) -> str:
    return "\n".join(line for line in page.splitlines() if line[0] != "#")


def test_no_event_time_is_exported_before_the_first_event() -> None:
    before = page(0, None)
    assert "engagement_snapshot_timestamp_seconds " in before
    assert "newest_event_timestamp_seconds " not in samples(before)
    assert "watermark_timestamp_seconds " not in samples(before)
    after = page(5_000, 4_000)
    assert "engagement_newest_event_timestamp_seconds 5.0" in after
    assert "engagement_watermark_timestamp_seconds 4.0" in after


def test_the_page_has_the_families_of_the_table_with_their_types_helps_and_labels() -> None:
    metrics = catalogue(Settings())
    gauges = [
        Gauge(metric.name, metric.windows[0], "s", dimension, dimension, 1)
        for metric in metrics
        for dimension in ("", "country")
    ]
    totals = [
        SegmentCount(name, "s", "country", "DE", 1) for m in metrics for name in m.totals or ()
    ]
    snapshot = Snapshot(
        2**52, 5_000, 4_000, 1, gauges, [Count(measure, "s", 1) for measure in COUNTERS],
        {"applied": 1}, {"late": 1}, 0, [], records={"first": 1},
        folded=[Count("country", "s", 1)], segment_counts=totals,
    )  # fmt: skip
    collector = SnapshotCollector(
        metrics, lambda: snapshot, Known([Stale("starting", 1, "")]), a_worker().collect
    )
    found = {
        (family.name, family.type): (
            family.documentation,
            {name for sample in family.samples for name in sample.labels} - {"le"},
        )
        for family in text_string_to_metric_families(rendered(collector))
        if family.name.startswith(PREFIX)
    }
    assert found == {(f.name, f.kind): (f.help, {*f.labels}) for f in all_families(metrics)}


def a_worker() -> Telemetry:
    """Return the telemetry of a worker with one shard and one Redis server."""
    state = SimpleNamespace(next=1, expected=1, goal=1)
    registry = SegmentRegistry(("country",), 2, lambda _: Calendar())
    registry.values.admit("s", "country", "DE")
    shard = SimpleNamespace(topics={"page-views": state}, registry=registry)
    assigned = SimpleNamespace(shard=shard, partition=0)
    owner: Any = SimpleNamespace(
        counts=OwnerCounts(),
        assigned_shards={0: assigned},
        heaviest=lambda: [HeavyPerson(0, "5e28b54d6a4f5170", 0.2, 4.0)],
    )
    log: Any = SimpleNamespace(read_to=lambda _: (2, 2))
    dead_letters: Any = SimpleNamespace(entries_sent=0, failures=0, backlog=0)
    telemetry = Telemetry(owner, log, dead_letters)
    telemetry.redis_memory = {"127.0.0.1:6379": Memory(1, 2)}
    return telemetry


def test_values_that_are_not_live_are_withheld_and_a_gauge_names_the_reason() -> None:
    snapshot = Snapshot(5_000, 5_000, 4_000, 1, [], [Count("events", "s", 7)], {}, {}, 0, [])
    stale = Known([Stale("broker_away", 3_000, "no answer")], withheld=True)
    collector = SnapshotCollector(catalogue(Settings()), lambda: snapshot, stale, lambda: iter(()))
    lines = samples(rendered(collector)).splitlines()
    assert 'engagement_stale{reason="broker_away"} 1.0' in lines
    assert 'engagement_stale{reason="redis_away"} 0.0' in lines
    assert 'engagement_stale_since_timestamp_seconds{reason="broker_away"} 3.0' in lines
    assert not [line for line in lines if line.startswith("engagement_events_total")]
    assert "engagement_snapshot_timestamp_seconds 5.0" in lines


def test_a_new_snapshot_is_on_the_next_page() -> None:
    snapshots = [Snapshot(2**52, 5_000, 4_000, 1, [], [], {}, {}, 0, [])]
    collector = SnapshotCollector(
        catalogue(Settings()), lambda: snapshots[-1], LIVE, lambda: iter(())
    )
    exporter = Exporter(collector)
    first, _ = exporter.render("text/plain")
    assert exporter.render("text/plain")[0] is first, "two scrapers cost two renderings"
    snapshots.append(Snapshot(2**52, 6_000, 4_000, 1, [], [], {}, {}, 0, []))
    assert b"engagement_newest_event_timestamp_seconds 6.0" in exporter.render("text/plain")[0]
