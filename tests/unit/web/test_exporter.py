"""What is not known yet is not on the page: a time of 0 would be shown as half a century ago."""

from stream.metrics.catalogue import catalogue
from stream.publish.snapshot import Snapshot
from stream.settings.application import Settings
from stream.web.exporter import Exporter, SnapshotCollector


def page(newest_ms: int, watermark_ms: int | None) -> str:
    snapshot = Snapshot(2**52, newest_ms, watermark_ms, 1, [], [], {}, {}, 0, [])
    collector = SnapshotCollector(
        catalogue(Settings()), lambda: snapshot, float("inf"), lambda: iter(())
    )
    return Exporter(collector).render("text/plain")[0].decode()


def samples(page: str) -> str:
    return "\n".join(line for line in page.splitlines() if line[0] != "#")


def test_before_the_first_event_no_time_of_events_is_told() -> None:
    before = page(0, None)
    assert "engagement_snapshot_timestamp_seconds " in before
    assert "newest_event_timestamp_seconds " not in samples(before)
    assert "watermark_timestamp_seconds " not in samples(before)
    after = page(5_000, 4_000)
    assert "engagement_newest_event_timestamp_seconds 5.0" in after
    assert "engagement_watermark_timestamp_seconds 4.0" in after
