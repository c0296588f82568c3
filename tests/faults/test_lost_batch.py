"""A batch lost on its way, or a log that retention has emptied: no later batch would show either."""

from pathlib import Path

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.faults.broken_lost_batch import KEY
from tests.faults.fleet import PARTITIONS, Fleet
from tests.faults.topics import topic_bounds
from tests.faults.traffic import views_now
from tests.faults.worker_process import wait_until
from tests.servers.kafka_server import KafkaServer

MODULE = "tests.faults.broken_lost_batch"


def test_the_last_batch_of_a_topic_is_read_again_when_lost_on_its_way(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=1, module=MODULE) as fleet:
        fleet.create_topics().start()
        for name, key in (("first", b"kept"), ("last", KEY)):
            fleet.produce(views_now(name, key))
            fleet.flush()
            wait_until("all that was sent is counted", lambda: fleet.lag() == 0)
        [worker] = fleet.workers
        lost = worker.log.read_text("utf-8").count(f"lost {fleet.topic('page_views')}")
        assert lost == PARTITIONS, "the fault has not happened"
        assert worker.value("engagement_worker_rewinds_total") >= PARTITIONS


def test_a_log_that_retention_has_emptied_is_counted_as_lost_without_a_later_record(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=1, module=MODULE) as fleet:
        fleet.create_topics().start()
        [worker] = fleet.workers
        fleet.produce(views_now("counted", b"kept"))
        fleet.flush()
        wait_until("all that was sent is counted", lambda: fleet.lag() == 0)
        assert worker.stop() == 0
        fleet.produce(views_now("lost", b"kept"))
        fleet.flush()
        topic = fleet.topic("page_views")
        ends = {p: end for p, (_, end) in topic_bounds(fleet.settings, topic).items()}
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        wanted = [TopicPartition(topic, p, end) for p, end in ends.items()]
        for done in admin.delete_records(wanted).values():
            done.result(30)
        worker.start()
        wait_until("the worker passes over what is gone", lambda: fleet.lag() == 0)
        wait_until("numbers are live", lambda: worker.ready()[0] == 200)
        assert worker.value("engagement_worker_retention_lost_records_total") == PARTITIONS
