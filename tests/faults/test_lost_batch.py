"""A batch lost between Kafka and its shard, with no later batch, is read again."""

from pathlib import Path

from tests.faults.broken_lost_batch import KEY
from tests.faults.fleet import PARTITIONS, Fleet
from tests.faults.traffic import views_now
from tests.faults.worker_process import wait_until
from tests.servers.kafka_server import KafkaServer


def test_the_last_batch_of_a_topic_is_read_again_when_lost_on_its_way(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    module = "tests.faults.broken_lost_batch"
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=1, module=module) as fleet:
        fleet.create_topics().start()
        for name, key in (("first", b"kept"), ("last", KEY)):
            fleet.produce(views_now(name, key))
            fleet.flush()
            wait_until("all that was sent is counted", lambda: fleet.lag() == 0)
        [worker] = fleet.workers
        lost = worker.log.read_text("utf-8").count(f"lost {fleet.topic('page_views')}")
        assert lost == PARTITIONS, "the fault has not happened"
        assert worker.value("engagement_worker_rewinds_total") >= PARTITIONS
