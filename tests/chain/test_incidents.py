"""A shop's payment errors, replayed through Kafka and two workers, raise the shipped conversion alert."""

from pathlib import Path

from agents.monitoring.grafana.panel import BAND_LOW
from tests.chain.incidents import (
    CONVERSION,
    SESSIONS,
    Series,
    Shop,
    failures,
    fired,
    panel_queries,
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
#: Sessions time out after half an hour; the shop is faster by this factor, and so is the timeout.
SETTINGS = {
    "SESSION_TIMEOUT_SECONDS": str(round(1_800 / FASTER)),
    "TIME_ALLOWED_LATENESS_SECONDS": "1",
}
#: Incident as described by the shop: its first day, and the day after its last.
BEGAN, ENDED = "2024-05-19", "2024-06-08"
#: Minutes after the incident in which it may still fire: the gauge's hour and the alert's keep
#: time.
AFTERWARDS = 60 + 15


def test_payment_errors_show_on_the_panel_and_raise_the_alert(
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

        wait_until("all is published", lambda: published().sessions[-1] == shop.sessions, 180)
        found = published()
    began, ended, end = shop.minute(BEGAN), shop.minute(ENDED), shop.minutes
    over = ended + AFTERWARDS
    panel = panel_queries(PANEL)
    now, lowest = panel["{{site}}"], panel[BAND_LOW]
    expected = {
        fired(ALERT, began): (began, 0.0),
        fired(ALERT, ended - began): (ended, 1.0),
        f"max(max_over_time(({now} < bool ({lowest}))[{ended - began}m:1m]))": (ended, 1.0),
        fired(ALERT, end - over): (end, 0.0),
    }
    series = {CONVERSION: found.conversion, SESSIONS: found.sessions}
    assert failures(tmp_path, ALERT, series, expected) == ""
    # Without the guard, the few sessions of the first weeks would hide it.
    assert "FAILED" in failures(tmp_path, ALERT, series, expected, unguarded=" >= 200")
