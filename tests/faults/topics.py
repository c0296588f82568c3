"""Readers of whole topics: the published records, and the dead letters."""

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
    """Return (first offset, next offset) of each partition."""
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
    """Yield key and value of every record in the topic.

    Each partition is read from its offset in `begin`, which then moves to the end.
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
    """Return the offset committed by the workers' consumer group for each (topic, partition)."""
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
    """Records of a consumer that keeps the highest revision of every number, and reads on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        #: Partition → next offset to read.
        self._next: dict[int, int] = {}
        self.held: dict[bytes, MetricRecord] = {}

    def read_on(self) -> int:
        """Read the records since the last call; return their number."""
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
    """Return the highest revision of every metric record in the topic."""
    newest = NewestRecords(settings)
    newest.read_on()
    return newest.held


def dead_letters(settings: Settings) -> dict[tuple[str, int, int], DeadLetter]:
    """Return the dead letters by (topic, partition, offset); one may be sent twice, but never differs."""
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
