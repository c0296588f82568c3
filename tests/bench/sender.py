"""Sends events at a rate, in its own process, and notes when it sent each marker."""

import time
from collections.abc import Mapping
from multiprocessing.queues import Queue
from typing import NamedTuple

from confluent_kafka import Producer

from tests.bench.live_events import Visits, page_view
from tests.bench.observer import probe_site
from tests.faults.fleet import PARTITIONS, Record

_STEP_SECONDS = 0.005


class Load(NamedTuple):
    """Events a second for a time, by visits of people; and the markers a second among them."""

    rate: float
    seconds: float
    mixed: bool = False
    people: int = 20_000
    at_once: int = 2_000
    markers: float = 40.0
    #: Makes the ids of events unique.
    seed: int = 1


class SentLoad(NamedTuple):
    """Times at which the markers of each partition were sent, all events, and the seconds it took."""

    markers: dict[int, list[float]]
    events: int
    seconds: float


def send(bootstrap: str, topics: Mapping[str, str], load: Load, done: "Queue[SentLoad]") -> None:
    """Send on schedule, late rather than less, and put what was sent into `done`."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 5, "compression.type": "lz4",
         "queue.buffering.max.messages": 1_000_000, "log_level": 3}
    )  # fmt: skip
    visits = Visits(load.people, load.at_once, mixed=load.mixed, seed=load.seed)
    markers: dict[int, list[float]] = {partition: [] for partition in range(PARTITIONS)}
    total, total_markers = int(load.rate * load.seconds), int(load.markers * load.seconds)
    sent = sent_markers = 0
    began = time.monotonic()
    while sent < total or sent_markers < total_markers:
        passed, now_ms = time.monotonic() - began, time.time_ns() // 1_000_000
        for _ in range(min(int(passed * load.rate), total) - sent):
            _produce(producer, topics, visits.next(now_ms))
            sent += 1
        while sent_markers < min(int(passed * load.markers), total_markers):
            partition = sent_markers % PARTITIONS
            marker = _marker(f"{load.seed}-{sent_markers}", partition)
            markers[partition].append(time.monotonic())
            _produce(producer, topics, marker)
            sent_markers += 1
        producer.poll(0)
        time.sleep(_STEP_SECONDS)
    seconds = time.monotonic() - began
    producer.flush(60)
    done.put(SentLoad(markers, sent, seconds))


def _marker(event_id: str, partition: int) -> Record:
    """Return a marker, an event of the partition's own site."""
    event = page_view(event_id, partition, time.time_ns() // 1_000_000, probe_site(partition))
    return event._replace(partition=partition)


def _produce(producer: Producer, topics: Mapping[str, str], record: Record) -> None:
    while True:
        try:
            producer.produce(topics[record.role], record.value, record.key, record.partition)
            return
        except BufferError:
            producer.poll(0.1)
