"""`engage tail`: follows the metric topic and prints each record."""

import sys
import time
from collections.abc import Iterator
from typing import TextIO

import msgspec
from kafka import KafkaConsumer, TopicPartition

from agents.commands.kafka_clients import KafkaUnreachable, open_consumer, reaching
from schemas.outputs import MetricRecord
from schemas.rejection import printable
from stream.settings.application import Settings

COLUMNS = "{:<32} {:>14} {:<14} {:<20} {:<24} {:>4} {}"
HEADER = COLUMNS.format("metric", "value", "window", "start", "site / dimensions", "rev", "state")
# The first worker may be about to create the topic.
TOPIC_TIMEOUT_SECONDS = 5.0

_decode = msgspec.json.Decoder(MetricRecord).decode


def run_tail(
    settings: Settings,
    *,
    metrics: list[str],
    final_only: bool = False,
    from_beginning: bool = False,
    format: str = "table",
    limit: int | None = None,
    out: TextIO | None = None,
) -> int:
    """Print matching records until Ctrl-C, or up to `limit` of them; 0.

    Empty `metrics` match every record. Raises KafkaUnreachable.
    """
    out = out or sys.stdout
    consumer = open_consumer(settings)
    printed = 0
    try:
        if format == "table":
            print(HEADER, file=out, flush=True)
        for record, raw in _records(settings, consumer, from_beginning):
            if (metrics and record.metric not in metrics) or (final_only and not record.is_final):
                continue
            line = raw.decode() if format == "json" else as_row(record)
            print(line, file=out, flush=True)
            printed += 1
            if limit is not None and printed >= limit:
                break
    except KeyboardInterrupt:
        pass  # Ctrl-C is the usual end.
    finally:
        consumer.close()
    return 0


def _records(
    settings: Settings, consumer: KafkaConsumer, from_beginning: bool
) -> Iterator[tuple[MetricRecord, bytes]]:
    """Yield every readable record from now on, or from the oldest one in the topic."""
    with reaching(settings):
        partitions = _partitions(settings, consumer)
        consumer.assign(partitions)
        (consumer.seek_to_beginning if from_beginning else consumer.seek_to_end)()
    unreadable = 0
    while True:
        with reaching(settings):
            batches = consumer.poll(timeout_ms=500)
        for messages in batches.values():
            for message in messages:
                try:
                    yield _decode(message.value or b""), message.value
                except msgspec.DecodeError:
                    unreadable += 1
                    if unreadable == 1:
                        print("some records are not metric records; left out", file=sys.stderr)


def _partitions(settings: Settings, consumer: KafkaConsumer) -> list[TopicPartition]:
    topic = settings.topics.metrics
    deadline = time.monotonic() + TOPIC_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        numbers = consumer.partitions_for_topic(topic)
        if numbers:
            return [TopicPartition(topic, number) for number in sorted(numbers)]
        time.sleep(0.2)
    raise KafkaUnreachable(
        f"there is no topic {topic} at {settings.kafka.bootstrap_servers}; "
        "create it with `engage topics create`, or correct topics.metrics"
    )


def as_row(record: MetricRecord) -> str:
    """Format a record as a line of the table, with texts from outside made safe to print."""
    value = "-" if record.value is None else f"{record.value:,.4g}"
    if isinstance(record.value, int):
        value = f"{record.value:,}"
    about = " ".join([record.site, *(f"{k}={v}" for k, v in sorted(record.dimensions.items()))])
    state = "final" if record.is_final else "open"
    start = (record.window.start or "")[:19]
    return COLUMNS.format(
        printable(record.metric, 32), value, record.window.kind, start,
        printable(about, 60), record.revision, state,
    )  # fmt: skip
