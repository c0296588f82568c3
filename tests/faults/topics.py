"""Reads whole topics: the records that were published, and the ledger."""

import time
from collections.abc import Iterator

import msgspec
from confluent_kafka import Consumer, TopicPartition

from schemas.outputs import LedgerEntry, MetricRecord, record_key
from stream.settings import Settings

_record = msgspec.json.Decoder(MetricRecord).decode
_entry = msgspec.json.Decoder(LedgerEntry).decode
_TIMEOUT = 60.0


def topic_bounds(settings: Settings, topic: str) -> dict[int, tuple[int, int]]:
    """Partition → (first offset, next offset)."""
    consumer = _consumer(settings)
    try:
        found = consumer.list_topics(topic, timeout=_TIMEOUT).topics[topic].partitions
        return {
            p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=_TIMEOUT)
            for p in found
        }
    finally:
        consumer.close()


def read_all(settings: Settings, topic: str) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Key and value of every record that the topic holds now."""
    ends = {
        p: bounds for p, bounds in topic_bounds(settings, topic).items() if bounds[0] < bounds[1]
    }
    if not ends:
        return
    consumer = _consumer(settings)
    try:
        consumer.assign([TopicPartition(topic, p, first) for p, (first, _) in ends.items()])
        deadline = time.monotonic() + _TIMEOUT
        while ends:
            assert time.monotonic() < deadline, f"{topic} cannot be read to its end"
            message = consumer.poll(1.0)
            if message is None:
                continue
            partition, offset = message.partition(), message.offset()
            assert message.error() is None, message.error()
            assert partition is not None
            assert offset is not None
            yield message.key(), message.value()
            # A topic's last record is never compacted away.
            if partition in ends and offset + 1 >= ends[partition][1]:
                del ends[partition]
    finally:
        consumer.close()


def committed(settings: Settings) -> dict[tuple[str, int], int]:
    """(topic, partition) → the offset that the workers' consumer group has committed."""
    consumer = _consumer(settings, settings.kafka.group or settings.app)
    try:
        wanted = [
            TopicPartition(topic, p)
            for topic in settings.topics.inputs
            for p in consumer.list_topics(topic, timeout=_TIMEOUT).topics[topic].partitions
        ]
        found = consumer.committed(wanted, timeout=_TIMEOUT)
        return {(tp.topic, tp.partition): tp.offset for tp in found if tp.offset > 0}
    finally:
        consumer.close()


def newest_records(settings: Settings) -> dict[bytes, MetricRecord]:
    """What a consumer holds who keeps the highest revision of every metric record."""
    held: dict[bytes, MetricRecord] = {}
    for key, value in read_all(settings, settings.topics.metrics):
        assert value is not None
        record = _record(value)
        assert key == record_key(record)
        if key not in held or record.revision > held[key].revision:
            held[key] = record
    return held


def ledger(settings: Settings) -> dict[tuple[str, int, int], LedgerEntry]:
    """(topic, partition, offset) → entry; an entry may have been sent twice, but never differs."""
    found: dict[tuple[str, int, int], LedgerEntry] = {}
    for _, value in read_all(settings, settings.topics.ledger):
        assert value is not None
        entry = _entry(value)
        place = (entry.topic, entry.partition, entry.offset)
        assert found.setdefault(place, entry) == entry
    return found


def _consumer(settings: Settings, group: str = "a test that commits nothing") -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": settings.kafka.bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
