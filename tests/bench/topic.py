"""The input of the benchmark: one topic on a real broker, filled before anything is measured."""

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.bench.traffic import page_views

PARTITIONS = 4
QUEUE = 100_000


def fill(bootstrap: str, topic: str, events: int) -> None:
    """Create the topic and write that many page views into it, compressed as producers do."""
    wanted = NewTopic(topic, num_partitions=PARTITIONS, replication_factor=1)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([wanted])[topic].result(30)
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": "lz4",
            "linger.ms": 20,
            "acks": "all",
            "enable.idempotence": True,
            "log_level": 3,  # a young broker asks for patience, which is no news
            "queue.buffering.max.messages": QUEUE,
        }
    )
    for number, record in enumerate(page_views(events), 1):
        producer.produce(topic, record.value, record.key, timestamp=record.timestamp_ms)
        if number % (QUEUE // 2) == 0:
            producer.flush()
    left = producer.flush(60)
    if left:
        raise RuntimeError(f"{left} records could not be written to the broker")
