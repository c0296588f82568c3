"""Input of the benchmark: one topic on a real broker, filled before the measurement."""

from collections.abc import Callable

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.bench.traffic import page_views

PARTITIONS = 4
QUEUE = 100_000


#: Chooses the bytes of a record and its partition (None: by key) from its number and value.
Shape = Callable[[int, bytes], tuple[bytes, int | None]]


def as_it_is(number: int, value: bytes) -> tuple[bytes, int | None]:
    """Place every record by its key."""
    return value, None


def skewed(number: int, value: bytes) -> tuple[bytes, int | None]:
    """Place half of the records in one partition."""
    return value, 0 if number % 2 else None


def poisoned(number: int, value: bytes) -> tuple[bytes, int | None]:
    """Spoil every other record: cut short, with an unknown type, or without a person."""
    if number % 2:
        return value, None
    spoiled = (
        value[:-20],
        value.replace(b'"page_view"', b'"no_such_type"'),
        value.replace(b'"visitor_id"', b'"visitor"'),
    )
    return spoiled[number // 2 % 3], None


def fill(bootstrap: str, topic: str, events: int, shape: Shape = as_it_is) -> None:
    """Create the topic and write `events` page views into it, compressed as producers do."""
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
            "log_level": 3,  # a young broker sends harmless warnings
            "queue.buffering.max.messages": QUEUE,
        }
    )
    for number, record in enumerate(page_views(events), 1):
        value, partition = shape(number, record.value)
        place = {} if partition is None else {"partition": partition}
        producer.produce(topic, value, record.key, timestamp=record.timestamp_ms, **place)
        if number % (QUEUE // 2) == 0:
            producer.flush()
    left = producer.flush(60)
    if left:
        raise RuntimeError(f"{left} records could not be written to the broker")
