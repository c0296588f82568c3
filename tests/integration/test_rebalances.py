"""A consumer group settles after a crash, and checkpoints are committed to Kafka."""

import time
from pathlib import Path

from tests.faults.fleet import Fleet
from tests.faults.topics import committed
from tests.faults.traffic import views_now
from tests.faults.worker_process import WorkerProcess, wait_until
from tests.servers.kafka_server import KafkaServer


def rebalances(worker: WorkerProcess) -> float:
    """Return how often the worker was assigned partitions."""
    return worker.value("engagement_worker_assignments_total")


def test_the_group_settles_after_a_crash_while_checkpoints_are_committed(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    settings = {"PUBLISH_CUT_SECONDS": "0.1", "SESSION_TIMEOUT_SECONDS": "60"}
    with Fleet(kafka.bootstrap, redis_url, tmp_path, settings=settings) as fleet:
        fleet.create_topics().start()
        other, crashed = fleet.workers
        crashed.kill9()
        before = rebalances(other)
        crashed.start()
        end = time.monotonic() + 6 * fleet.settings.kafka.session_timeout_seconds
        number = 0
        while time.monotonic() < end:
            fleet.produce(views_now(str(number)))
            fleet.flush()
            number += 1
            time.sleep(0.05)
        fleet.wait_assigned()
        # One without the dead worker, one with the new one, or both in one. Refused commits used to
        # cost the membership: a rebalance with every session timeout.
        assert 1 <= rebalances(other) - before <= 2
        sent = dict(fleet.sent)
        wait_until("the checkpoints are committed", lambda: committed(fleet.settings) == sent)
