"""Co-partitioning with three workers: the partitions of a shard are always on one worker."""

from collections import Counter
from pathlib import Path

from tests.faults.fleet import PARTITIONS, Fleet
from tests.faults.worker_process import WorkerProcess
from tests.servers.kafka_server import KafkaServer


def _split_numbers(workers: list[WorkerProcess], topics: int) -> list[int]:
    """Return partition numbers that a worker has for only some of the topics."""
    return [
        number
        for worker in workers
        for number, held in Counter(p for _, p in worker.partitions()).items()
        if held != topics
    ]


def test_a_partition_number_is_on_one_worker_for_all_topics_while_one_joins_and_one_leaves(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=3) as fleet:
        fleet.create_topics()
        # Two workers have two numbers each when the third joins. They must give some up, although
        # two is the maximum for four numbers on three workers.
        *first, joiner = fleet.workers
        for worker in first:
            worker.start()
        fleet.wait_assigned()
        joiner.start()
        fleet.wait_assigned()
        topics = len(fleet.settings.topics.inputs)
        assert topics == 7
        assert _split_numbers(fleet.workers, topics) == []
        # Every worker must have partitions, or the test would prove little.
        assert all(worker.partitions() for worker in fleet.workers)

        leaver, *stayers = fleet.workers
        assert leaver.stop() == 0
        fleet.wait_assigned()
        assert _split_numbers(stayers, topics) == []
        assert sum(len(worker.partitions()) for worker in stayers) == topics * PARTITIONS
