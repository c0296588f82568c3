"""Input of the benchmark: one topic on a real broker, filled before the measurement."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.bench.traffic import Record, page_views

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
    """Create the topic and write `events` page views into it."""
    _create(bootstrap, [topic])
    _write(bootstrap, _shaped(topic, page_views(events), shape))


def fill_roles(
    bootstrap: str, topics: Mapping[str, str], records: Iterable[tuple[str, Record]]
) -> None:
    """Create the topics, named by their roles, and write each record into that of its role."""
    _create(bootstrap, topics.values())
    _write(bootstrap, ((topics[role], record, None) for role, record in records))


def _create(bootstrap: str, topics: Iterable[str]) -> None:
    wanted = [NewTopic(topic, num_partitions=PARTITIONS, replication_factor=1) for topic in topics]
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for created in admin.create_topics(wanted).values():
        created.result(30)


def delete(bootstrap: str, topics: Iterable[str]) -> None:
    """Delete topics that nothing reads any more: their records would fill the disk."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for deleted in admin.delete_topics(list(topics)).values():
        deleted.result(30)


def _shaped(
    topic: str, records: Iterable[Record], shape: Shape
) -> Iterator[tuple[str, Record, int | None]]:
    for number, record in enumerate(records, 1):
        value, partition = shape(number, record.value)
        yield topic, record._replace(value=value), partition


def _write(bootstrap: str, records: Iterable[tuple[str, Record, int | None]]) -> None:
    """Write records into their topics and partitions, compressed as producers do."""
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
    for number, (topic, record, partition) in enumerate(records, 1):
        place = {} if partition is None else {"partition": partition}
        producer.produce(topic, record.value, record.key, timestamp=record.timestamp_ms, **place)
        if number % (QUEUE // 2) == 0:
            producer.flush()
    left = producer.flush(60)
    if left:
        raise RuntimeError(f"{left} records could not be written to the broker")
