"""The publishing worker dies: its successor publishes the numbers counted meanwhile, and corrections."""

import zlib
from pathlib import Path

from agents.simulation.traffic import Traffic
from schemas.outputs import MetricRecord
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.topics import newest_records
from tests.faults.worker_process import WorkerProcess, wait_until
from tests.integration.test_report_equals_stream import DAY_MS, now_ms, reported, wait_equal
from tests.servers.kafka_server import KafkaServer

#: Further back than the days that a publisher evaluates by default.
DAYS_AGO = 60


def old_sessions() -> list[Record]:
    """Return two weeks with a few sessions a day, long ago."""
    end_ms = now_ms() - DAYS_AGO * DAY_MS
    sent = Traffic(11, rate_per_second=1.0).history(14, end_ms, events_max=800)
    return [Record(s.role, zlib.crc32(s.key) % PARTITIONS, s.key, s.raw) for s in sent]


def publisher_of(fleet: Fleet) -> WorkerProcess:
    """Return the worker with the first shard."""
    [found] = [w for w in fleet.workers if any(p == 0 for _, p in w.partitions())]
    return found


def report_of(fleet: Fleet, records: list[Record]) -> list[MetricRecord]:
    return reported(fleet.settings, (record.value or b"" for record in records))


def test_another_worker_publishes_numbers_counted_without_a_publisher(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    records = old_sessions()
    with Fleet(kafka.bootstrap, redis_url, tmp_path) as fleet:
        fleet.create_topics().start()
        first = publisher_of(fleet)
        [other] = [worker for worker in fleet.workers if worker is not first]
        held = other.partitions()
        later = {
            number
            for number, record in enumerate(records)
            if number > len(records) // 2 and (fleet.topic(record.role), record.partition) in held
        }
        before = [record for number, record in enumerate(records) if number not in later]
        fleet.produce(before)
        fleet.wait_counted()
        wait_equal(fleet, report_of(fleet, before))
        first.kill9()
        sent_risks = newest_records(fleet.settings)
        fleet.produce(records[number] for number in sorted(later))
        wait_until("the other worker has counted the rest", lambda: fleet.lag() == 0)
        assert other.partitions() == held, "the rest is not published yet"
        assert newest_records(fleet.settings) == sent_risks, "the rest is not published yet"
        first.start()
        fleet.wait_counted()
        wait_equal(fleet, report_of(fleet, records))
