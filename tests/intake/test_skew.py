"""Skew between source partitions never becomes lateness: a partition that is ahead waits."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from tests.faults.worker_process import WorkerProcess, sampled, wait_until
from tests.intake.foreign import page
from tests.intake.stand import Stand
from tests.servers.kafka_server import KafkaServer

DAY, MINUTE = 86_400_000, 60_000
NOT_ALIGNED = "tests.intake.broken_not_aligned"


@contextmanager
def worker(stand: Stand) -> Iterator[WorkerProcess]:
    """Run a worker on the topics of a stand."""
    one = WorkerProcess("worker", stand.directory, stand.environ, "agents", "worker").start()
    try:
        yield one
    finally:
        one.end()


def counted(stand: Stand, events: int) -> dict[str, float]:
    """Return the records that a worker has passed, by outcome, once it has read them all."""
    with worker(stand) as one:

        def outcomes() -> dict[str, float]:
            found = one.page() or {}
            return {
                name: sampled(found, "engagement_records_total", outcome=name)
                for name in ("applied", "late", "rejected", "duplicate")
            }

        wait_until("the worker has read all", lambda: sum(outcomes().values()) >= events)
        return outcomes()


def three_days_behind(stand: Stand) -> int:
    """Fill one partition with three days, the other one with the last minutes; return the records."""
    now = time.time_ns() // 1_000_000
    begin, step = now - 3 * DAY, 4_000
    count = 3 * DAY // step
    stand.send(0, (page(n, begin + n * step, f"v-{n % 30}") for n in range(count)), begin, step)
    begin, step = now - 10 * MINUTE, 1_000
    new = [page(100_000 + n, begin + n * step, f"v-{n % 30}") for n in range(300)]
    stand.send(1, new, begin, step)
    return count + len(new)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_partition_three_days_behind_makes_nothing_late(
    kafka: KafkaServer, redis_url: str, tmp_path: Path, processes: int
) -> None:
    with Stand(kafka.bootstrap, tmp_path, redis_url=redis_url) as stand:
        events = three_days_behind(stand)
        started = [stand.process().start() for _ in range(processes)]
        stand.wait_carried()
        carried = [one.value("engagement_intake_events_total") for one in started]
        assert all(carried), "a process had nothing to carry"
        assert sum(carried) == events
        outcomes = counted(stand, events)
    assert outcomes == {"applied": events, "late": 0, "rejected": 0, "duplicate": 0}


def test_a_build_that_does_not_wait_is_caught(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Stand(kafka.bootstrap, tmp_path, redis_url=redis_url) as stand:
        events = three_days_behind(stand)
        stand.process(module=NOT_ALIGNED).start()
        stand.wait_carried()
        assert counted(stand, events)["late"] > 0


@pytest.mark.parametrize(("policy", "minutes"), [("update", 61), ("ledger", 6)])
def test_partitions_are_read_in_the_order_of_their_times(
    kafka: KafkaServer, tmp_path: Path, policy: str, minutes: int
) -> None:
    """Half a day of records, and one partition is 12 times as large in bytes."""
    begin, step = time.time_ns() // 1_000_000 - DAY, MINUTE
    with Stand(kafka.bootstrap, tmp_path, settings={"TIME_LATE_POLICY": policy}) as stand:
        for partition, weight in ((0, 1), (1, 12)):
            values = [
                page(partition * 10_000 + n, begin + n * step, f"v-{n % 40}") + b" " * 300 * weight
                for n in range(720)
            ]
            stand.send(partition, values, begin, step)
        one = stand.process().start()
        stand.wait_carried()
        assert one.stop() == 0
        assert disorder_ms(stand) <= minutes * MINUTE


def disorder_ms(stand: Stand) -> int:
    """Return how much older than one before it a record of an input partition is, at most."""
    worst = 0
    newest: dict[tuple[str, int], int] = {}
    for record in stand.written():
        at = datetime.fromisoformat(json.loads(record.value)["event_time"].replace("Z", "+00:00"))
        at_ms = round(at.timestamp() * 1000)
        place = record.topic, record.partition
        worst = max(worst, newest.get(place, 0) - at_ms)
        newest[place] = max(newest.get(place, 0), at_ms)
    return worst
