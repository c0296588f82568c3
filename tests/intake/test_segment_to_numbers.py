"""A Segment topic without keys, with broken records, gives the numbers of a report over the same file."""

import json
import os
from io import StringIO
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from rich.console import Console

from agents.mapping.report import mapped_files
from stream.configure.check_sources import source_named
from tests.faults.fleet import Fleet
from tests.faults.topics import topic_bounds
from tests.faults.worker_process import WorkerProcess, wait_until
from tests.intake.foreign import calls
from tests.integration.test_report_equals_stream import DAY_MS, now_ms, reported, wait_equal
from tests.servers.kafka_server import KafkaServer

FOREIGN, COUNT, PARTITIONS = "segment-events", 12_000, 3
#: Ten days of calls.
STEP_MS = 10 * DAY_MS // COUNT


def send(bootstrap: str, topic: str, lines: list[tuple[int, bytes]], begin_ms: int) -> None:
    """Send numbered lines in turn to all partitions, with Kafka's times of the calls."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
    for number, line in lines:
        at_ms = begin_ms + number * STEP_MS
        producer.produce(topic, line, partition=number % PARTITIONS, timestamp=at_ms)
        producer.poll(0)
    assert producer.flush(60) == 0


def test_an_unkeyed_segment_topic_gives_the_numbers_of_its_report(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    begin_ms = now_ms() - 30 * DAY_MS
    lines = list(calls(COUNT, 5, begin_ms=begin_ms, step_ms=STEP_MS))
    broken = sum(b"broken" in line for line in lines)
    assert 0.005 < broken / COUNT < 0.015
    file = tmp_path / "segment.jsonl"
    file.write_bytes(b"\n".join(lines))
    topic = f"{FOREIGN}-{os.getpid()}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    new = NewTopic(topic, PARTITIONS, 1, config={"retention.ms": "-1"})
    admin.create_topics([new])[topic].result(30)
    sources = json.dumps({"web": {"topics": [topic], "preset": "segment"}})
    kept = {"TIME_HOUR_RETENTION_DAYS": "60", "SOURCES": sources}
    with Fleet(kafka.bootstrap, redis_url, tmp_path, settings=kept) as fleet:
        fleet.create_topics().start()
        intakes = [
            WorkerProcess(f"intake{n}", tmp_path, fleet.environ, "agents", "intake")
            for n in range(2)
        ]
        try:
            for one in intakes:
                one.start()
            numbered = list(enumerate(lines))
            send(kafka.bootstrap, topic, numbered[: COUNT // 2], begin_ms)
            carried = "engagement_intake_records_total"
            wait_until("an intake carries", lambda: intakes[0].value(carried) > 0)
            intakes[0].kill9()
            fleet.workers[0].kill9()
            send(kafka.bootstrap, topic, numbered[COUNT // 2 :], begin_ms)
            intakes[0].start()
            fleet.workers[0].start()

            def is_carried() -> bool:
                lag = "engagement_intake_lag_records"
                pages = [one.page() or {} for one in intakes]
                lags = [v for page in pages for (name, _), v in page.items() if name == lag]
                return len(lags) == 2 * PARTITIONS and not any(lags)

            wait_until("all is carried", is_carried)
            assert all(one.stop() == 0 for one in intakes)
        finally:
            for one in intakes:
                one.end()
        fleet.note_sent()
        fleet.wait_counted()
        source = source_named(fleet.settings, "web")
        with mapped_files(source, [str(file)], Console(file=StringIO())) as [mapped]:
            events = Path(mapped).read_bytes().splitlines()
        assert events
        wait_equal(fleet, reported(fleet.settings, events))
        letters = topic_bounds(fleet.settings, fleet.settings.topics.ledger)
        assert sum(end - first for first, end in letters.values()) >= broken
