"""Reads whole topics: the records that were published, and the ledger."""

import time
from collections.abc import Iterator

import msgspec
from confluent_kafka import Consumer, TopicPartition

from schemas.outputs import DeadLetter, MetricRecord, record_key
from stream.settings.application import Settings

_record = msgspec.json.Decoder(MetricRecord).decode
_entry = msgspec.json.Decoder(DeadLetter).decode
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


def read_all(
    settings: Settings, topic: str, begin: dict[int, int] | None = None
) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Key and value of every record that the topic holds now.

    Of each partition from the offset in `begin` on, which is moved on to its end.
    """
    begin = {} if begin is None else begin
    bounds = topic_bounds(settings, topic)
    ends = {p: (begin.get(p, first), end) for p, (first, end) in bounds.items()}
    ends = {p: (first, end) for p, (first, end) in ends.items() if first < end}
    begin |= {p: end for p, (_, end) in ends.items()}
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
    consumer = _consumer(settings, settings.consumer_group)
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


class NewestRecords:
    """What a consumer holds who keeps the highest revision of every metric record, and reads on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        #: Partition → the next offset to read.
        self._next: dict[int, int] = {}
        self.held: dict[bytes, MetricRecord] = {}

    def read_on(self) -> int:
        """Take up what has come since the last time; how many records that was."""
        count = 0
        for key, value in read_all(self._settings, self._settings.topics.metrics, self._next):
            assert value is not None
            record = _record(value)
            assert key == record_key(record)
            if key not in self.held or record.revision > self.held[key].revision:
                self.held[key] = record
            count += 1
        return count


def newest_records(settings: Settings) -> dict[bytes, MetricRecord]:
    """The highest revision of every metric record that the topic holds now."""
    newest = NewestRecords(settings)
    newest.read_on()
    return newest.held


def ledger(settings: Settings) -> dict[tuple[str, int, int], DeadLetter]:
    """(topic, partition, offset) → entry; an entry may have been sent twice, but never differs."""
    found: dict[tuple[str, int, int], DeadLetter] = {}
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
