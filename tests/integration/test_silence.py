"""In silence, sessions and windows close on time; an outage makes no event late."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from schemas.outputs import MetricRecord
from stream.counters import measures
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.stored import read_counts, unaccounted
from tests.faults.topics import newest_records
from tests.faults.worker_process import wait_until
from tests.servers.kafka_server import KafkaServer

LATENESS, TIMEOUT = 2, 3
#: All times are short, corrections too: events that the wall clock calls late would be lost.
SETTINGS = {
    "TIME_ALLOWED_LATENESS_SECONDS": str(LATENESS),
    "TIME_CORRECTION_WINDOW_SECONDS": str(LATENESS),
    "SESSION_TIMEOUT_SECONDS": str(TIMEOUT),
    "PUBLISH_CUT_SECONDS": "0.5",
    "PUBLISH_SNAPSHOT_SECONDS": "0.5",
    "PUBLISH_RECORDS_SECONDS": "0.5",
}
#: Seconds later than promised, for a busy machine.
SLACK = 15
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def event(kind: str, number: int, time_ms: int, visitor: int = 0) -> Record:
    fields = {"page_view": {"page_url": "/"}, "click": {"content_id": "c"}}[kind]
    value = {"type": kind, "event_id": f"{kind}{number}", "event_time": time_ms} | fields
    value["visitor_id"] = f"v{visitor}"
    role = "page_views" if kind == "page_view" else "clicks"
    return Record(role, visitor % PARTITIONS, b"key", json.dumps(value).encode())


def end_ms(record: MetricRecord) -> float:
    return datetime.fromisoformat(str(record.window.end)).timestamp() * 1000


def minute_of(fleet: Fleet, time_ms: int) -> MetricRecord | None:
    """Return the newest record of the page views of the minute around a time."""
    for record in newest_records(fleet.settings).values():
        is_minute = record.metric == "page_views" and record.window.kind == "minute"
        if is_minute and not record.dimensions and 0 < end_ms(record) - time_ms <= 60_000:
            return record
    return None


def test_a_quiet_topic_closes_its_sessions_and_windows_on_time(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    # The events are from the last second of the minute before. The lateness keeps that minute open
    # until shortly after the workers have started.
    minute_end = now_ms() // 60_000 * 60_000
    lateness = (now_ms() - minute_end) // 1000 + 25
    settings = SETTINGS | {
        "TIME_ALLOWED_LATENESS_SECONDS": str(lateness),
        "TIME_CORRECTION_WINDOW_SECONDS": str(lateness),
    }
    due, began = minute_end + lateness * 1000, minute_end - 1000
    with Fleet(kafka.bootstrap, redis_url, tmp_path, settings=settings) as fleet:
        fleet.create_topics().start()
        fleet.produce(event("page_view", number, began, visitor=1) for number in range(3))
        fleet.flush()
        # Nothing is sent from here on: only the clock advances.
        wait_until("they are published", lambda: minute_of(fleet, began) is not None)
        provisional = minute_of(fleet, began)
        assert provisional is not None
        assert provisional.value == 3
        assert not provisional.is_final or now_ms() >= due

        def is_final() -> bool:
            record = minute_of(fleet, began)
            return record is not None and record.is_final

        wait_until("the minute is final", is_final, max(due - now_ms(), 0) / 1000 + SLACK)
        assert now_ms() >= due
        final = minute_of(fleet, began)
        assert final is not None
        assert final.value == 3
        assert datetime.fromisoformat(str(final.watermark)).timestamp() * 1000 >= minute_end
        wait_until("the session is closed", lambda: sessions(fleet) == 1, TIMEOUT + SLACK)
        assert now_ms() >= began + (TIMEOUT + lateness) * 1000


def sessions(fleet: Fleet) -> int:
    return read_counts(fleet.settings).total(measures.SESSIONS)


def an_hour_of_events(began: int) -> Iterator[Record]:
    """Yield one event every 2 s on two topics: visitors with sessions of a minute."""
    for number in range(1800):
        time_ms = began + number * 2000
        yield event("page_view" if number % 3 else "click", number, time_ms, visitor=number // 30)


def test_an_outage_of_an_hour_makes_no_event_late(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    began = now_ms() - HOUR_MS
    records = list(an_hour_of_events(began))
    with Fleet(kafka.bootstrap, redis_url, tmp_path, settings=SETTINGS) as fleet:
        fleet.create_topics().start()
        # The clock closes the session when the outage begins; by the log it continues.
        fleet.produce(records[:20])
        fleet.wait_counted()
        assert {worker.stop() for worker in fleet.workers} == {0}
        fleet.produce(records[20:])
        fleet.flush()
        assert fleet.lag() == len(records) - 20
        fleet.start()
        fleet.wait_counted()
        outcomes = [t.counts for s in fleet.stored().values() for t in s.topics.values()]
        assert sum(counts["late"] for counts in outcomes) == 0
        assert sum(counts["applied"] for counts in outcomes) == len(records)
        assert unaccounted(fleet) == {}
        counts = read_counts(fleet.settings)
        assert counts.total(measures.SESSIONS) == counts.total(measures.NEW_ALL) == 60
        assert counts.total(measures.PAGE_VIEWS) == 1200
        assert counts.total(measures.CLICKS) == 600


def test_a_topic_read_days_after_the_others_finds_its_sessions(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    """Simulate the end of a broker outage: days of records arrive at once, topic by topic."""
    began = now_ms() - 20 * DAY_MS
    quick = {"PUBLISH_CUT_SECONDS": "0.5"}
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=1, settings=quick) as fleet:
        fleet.create_topics().start()
        fleet.produce([event("page_view", 0, began), event("click", 1, began + 1000)])
        fleet.wait_counted()
        fleet.produce(event("page_view", 1 + day, began + day * DAY_MS) for day in range(1, 5))
        fleet.wait_counted()
        # The clicks are read to their end, as before the outage; this loses no session.
        time.sleep(3)
        fleet.produce([event("click", 2, began + 60_000)])
        fleet.produce([event("page_view", 9, began + 4 * DAY_MS + 60_000)])
        fleet.wait_counted()
        counts = read_counts(fleet.settings)
        assert counts.total(measures.SESSIONS) == 5
        assert counts.total(measures.SESSION_DURATION_MS) == 2 * 60_000
