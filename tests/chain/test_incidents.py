"""A shop's payment errors, replayed through Kafka and two workers, raise the shipped conversion alert."""

from pathlib import Path

from agents.monitoring.grafana.panel import BAND_LOW
from tests.chain.incidents import (
    CONVERSION,
    VISITS,
    Series,
    Shop,
    asked,
    failures,
    fired,
    series_of,
)
from tests.faults.fleet import Fleet
from tests.faults.topics import newest_records
from tests.faults.worker_process import wait_until
from tests.integration.test_report_equals_stream import case
from tests.servers.kafka_server import KafkaServer

FASTER = 240
ALERT = "EngagementConversionDrop"
PANEL = "Conversion of sessions and the usual"
#: Sessions end after half an hour; in a shop that is so much faster, so much sooner.
SETTINGS = {
    "SESSION_TIMEOUT_SECONDS": str(round(1_800 / FASTER)),
    "TIME_ALLOWED_LATENESS_SECONDS": "1",
}
#: The incident, as the makers of the shop tell it: its first day, and the day after its last.
BEGAN, ENDED = "2024-05-19", "2024-06-08"
#: The hour of the gauge, and for how long an alert goes on: so long after it may still fire.
AFTERWARDS = 60 + 15


def test_payment_errors_are_seen_on_the_panel_and_raise_the_alert(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    shop = Shop(case("retentioneering") / "events.jsonl.gz", FASTER)
    file = tmp_path / "shop.jsonl"
    assert shop.write(file) == 31_106
    with Fleet(kafka.bootstrap, redis_url, tmp_path, settings=SETTINGS) as fleet:
        fleet.create_topics().start()
        fleet.command("replay", str(file))
        fleet.note_sent()
        fleet.wait_counted()

        def published() -> Series:
            return series_of(shop, newest_records(fleet.settings).values())

        wait_until("all is published", lambda: published().visits[-1] == shop.visits, 180)
        found = published()
    began, ended, end = shop.minute(BEGAN), shop.minute(ENDED), shop.minutes
    over = ended + AFTERWARDS
    panel = asked(PANEL)
    now, lowest = panel["{{site}}"], panel[BAND_LOW]
    expected = {
        fired(ALERT, began): (began, 0.0),
        fired(ALERT, ended - began): (ended, 1.0),
        f"max(max_over_time(({now} < bool ({lowest}))[{ended - began}m:1m]))": (ended, 1.0),
        fired(ALERT, end - over): (end, 0.0),
    }
    series = {CONVERSION: found.conversion, VISITS: found.visits}
    assert failures(tmp_path, ALERT, series, expected) == ""
    # The first weeks, with their few visits, would hide it.
    assert "FAILED" in failures(tmp_path, ALERT, series, expected, unguarded=" >= 200")
