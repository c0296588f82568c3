"""A consumer group comes to rest after a crash, and Kafka is told how far its cuts are."""

import time
from pathlib import Path

from tests.faults.fleet import Fleet
from tests.faults.topics import committed
from tests.faults.traffic import views_now
from tests.faults.worker_process import WorkerProcess, wait_until
from tests.servers.kafka_server import KafkaServer


def rebalances(worker: WorkerProcess) -> float:
    """How often it was given partitions."""
    return worker.value("engagement_worker_assignments_total")


def test_the_group_comes_to_rest_after_a_crash_though_cuts_are_committed_all_the_while(
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
        wait_until("Kafka knows how far the cuts are", lambda: committed(fleet.settings) == sent)
