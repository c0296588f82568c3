"""A start and a stop take five lines each, and nothing of them is lost at the level debug."""

from pathlib import Path

from tests.faults.fleet import Fleet
from tests.faults.worker_process import wait_until
from tests.servers.kafka_server import KafkaServer

LINES_MAX = 5


def test_a_start_and_a_stop_are_five_lines_each(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=1) as fleet:
        fleet.create_topics().start()
        [worker] = fleet.workers
        wait_until("it is ready", lambda: " ready after " in worker.log_tail())
        start = worker.log.read_text().splitlines()
        assert worker.stop() == 0
        stop = worker.log.read_text().splitlines()[len(start) :]
        for text in ("starting engagement-stream", "Kafka at", "pages at", "partitions", "ready"):
            assert any(text in line for line in start), f"{text}: {start}"
        assert "stopping" in stop[0]
        assert "the last checkpoints are stored" in stop[-1]
        assert len(start) <= LINES_MAX, start
        assert len(stop) <= LINES_MAX, stop
        fleet.reconfigure(LOG_LEVEL="debug")
        worker.start()
        wait_until("it starts again", lambda: "[^App]: Starting..." in worker.log.read_text())
