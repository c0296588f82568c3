"""Input, caps and logs that go wrong: each alert about them fires and resolves on every hop."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from stream.publish.staleness import StaleReason
from stream.store.keys import ShardKeys
from tests.chain.stand import Stand
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.topics import topic_bounds
from tests.servers.kafka_server import KafkaServer
from tests.servers.redis_server import RedisServer

STALE = "NumbersStale"
MODULE = "tests.faults.broken_on_request"
SMALL = {
    "LIMITS_SITES_MAX": "3",
    "LIMITS_SEGMENTS_MAX": "100",
    "LIMITS_SERIES_MAX": "1000",
    "DIMENSION_VALUES_MAX": "3",
    "DEDUPE_IDS_MAX": "50",
    "LIMITS_DIRTY_MAX": "1000",
}
LARGE = {
    "LIMITS_SITES_MAX": "1000",
    "LIMITS_SEGMENTS_MAX": "100000",
    "LIMITS_SERIES_MAX": "100000",
    "DIMENSION_VALUES_MAX": "1000",
    "DEDUPE_IDS_MAX": "200000",
}
#: Bad records that halt a topic.
BAD = 20
CAPS = (
    "LabelCapReached", "SiteCapReached", "SegmentCapReached", "SeriesCapReached", "DedupeCapReached",
)  # fmt: skip


class Input:
    """Sends current page views of many sites, countries and pages."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._number = 0

    def send(self, count: int, raw: bytes | None = None, spaces: int = 0) -> None:
        """Send page views, or this value, to every partition in turn.

        `spaces` after each keep a worker's fetches small: it knows of what came since by the next.
        """
        records = []
        for _ in range(count):
            self._number += 1
            records.append(
                Record(
                    "page_views",
                    self._number % PARTITIONS,
                    b"k",
                    raw or self._view() + b" " * spaces,
                )
            )
        self._fleet.produce(records)
        self._fleet.flush()

    def _view(self) -> bytes:
        number = self._number
        event = {"type": "page_view", "page_url": f"/{number % 400}", "event_id": f"e{number}",
                 "event_time": time.time_ns() // 1_000_000, "visitor_id": f"v{number % 50}",
                 "site": f"s{number // PARTITIONS % 10}",
                 "context": {"country": f"c{number // PARTITIONS % 40}"}}  # fmt: skip
        return json.dumps(event).encode()


@contextmanager
def repeated(work: Callable[[], None], pause_seconds: float) -> Iterator[None]:
    """Repeat the work beside the block."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(pause_seconds):
            work()

    with ThreadPoolExecutor(1) as beside:
        done = beside.submit(run)
        try:
            yield
        finally:
            over.set()
        done.result(60)


@contextmanager
def wanted(fault: Path) -> Iterator[None]:
    """Let the broken worker have a fault during the block."""
    fault.touch()
    try:
        yield
    finally:
        fault.unlink()


def test_every_alert_about_input_caps_and_logs_fires_and_resolves(
    kafka: KafkaServer, own_redis: RedisServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        fleet = stack.enter_context(
            Fleet(
                kafka.bootstrap, own_redis.url, tmp_path, workers=1, module=MODULE, settings=SMALL
            )
        )
        fleet.workers[0].environ["TEST_FAULTS"] = str(tmp_path)
        fleet.create_topics().start()
        stand = stack.enter_context(Stand(fleet))
        source = Input(fleet)
        client = stack.enter_context(redis.Redis.from_url(own_redis.url))
        fired = [
            *too_much_of_everything(stand, source),
            *bad_records(stand, source),
            *little_memory(stand, client),
            *another_owner(stand, client, fleet, source),
            *broken_worker(stand, tmp_path, source),
            *deleted_records(stand, kafka, fleet, source),
        ]
        halted_topic(stand, fleet)
        more_partitions(stand, kafka, fleet)
        for alert in fired:
            stand.wait_resolved(alert)


def too_much_of_everything(stand: Stand, source: Input) -> Iterator[str]:
    """Send more sites, countries, pages and ids than the caps allow."""
    with repeated(lambda: source.send(1_000), 1.0):
        for cap in CAPS:
            stand.wait_firing(cap)
            yield cap


def bad_records(stand: Stand, source: Input) -> Iterator[str]:
    """Send as many bad records as good ones."""

    def half_bad() -> None:
        source.send(200)
        source.send(200, b"nothing")

    with repeated(half_bad, 0.3):
        stand.wait_firing("LedgerShare")
    yield "LedgerShare"


def little_memory(stand: Stand, client: "redis.Redis") -> Iterator[str]:
    """Give Redis hardly more memory than it uses, and then as much as it likes."""
    client.config_set("maxmemory", int(client.info("memory")["used_memory"] / 0.9))
    stand.wait_firing("RedisMemory")
    client.config_set("maxmemory", 0)
    yield "RedisMemory"


def another_owner(
    stand: Stand, client: "redis.Redis", fleet: Fleet, source: Input
) -> Iterator[str]:
    """Take the shards from the worker again and again."""
    with repeated(lambda: take_over(client, fleet, source), 0.5):
        stand.wait_firing("CutsFenced")
    yield "CutsFenced"


def broken_worker(stand: Stand, faults: Path, source: Input) -> Iterator[str]:
    """Let the worker forget records, and then fall behind."""
    with wanted(faults / "forgetful"):
        stand.wait_firing("UnaccountedRecords")
    yield "UnaccountedRecords"
    with wanted(faults / "slow"), repeated(lambda: source.send(2_000, spaces=2_000), 0.2):
        stand.wait_firing("ConsumerLagGrowing")
    yield "ConsumerLagGrowing"


def deleted_records(stand: Stand, kafka: KafkaServer, fleet: Fleet, source: Input) -> Iterator[str]:
    """Delete records that no worker has read, and start with larger caps."""
    worker = fleet.workers[0]
    assert worker.stop() == 0
    source.send(400)
    delete(kafka, fleet)
    source.send(400)
    fleet.reconfigure(**LARGE, LEDGER_MIN_EVENTS=str(BAD))
    worker.start()
    stand.wait_firing("RecordsLost")
    yield "RecordsLost"


def halted_topic(stand: Stand, fleet: Fleet) -> None:
    """Send only bad records to a topic: reading stops, and the watermark with it."""
    worker = fleet.workers[0]
    fleet.produce([Record("clicks", 1, None, b"nothing") for _ in range(BAD)])
    fleet.flush()
    stand.wait_firing(STALE, reason=StaleReason.WATERMARK_STUCK)
    fleet.reconfigure(LEDGER_MIN_EVENTS="100000")
    assert worker.stop() == 0
    worker.start()
    stand.wait_resolved(STALE, reason=StaleReason.WATERMARK_STUCK)


def more_partitions(stand: Stand, kafka: KafkaServer, fleet: Fleet) -> None:
    """Double the partitions of all inputs, and count again as the message says."""
    worker = fleet.workers[0]
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    wanted = [NewPartitions(topic, 2 * PARTITIONS) for topic in fleet.settings.topics.inputs]
    for done in admin.create_partitions(wanted).values():
        done.result(30)
    stand.wait_firing(STALE, reason=StaleReason.PARTITIONS_CHANGED)
    with ThreadPoolExecutor(1) as beside:
        backfill = beside.submit(fleet.command, "backfill", "--accept-loss")
        assert worker.wait(60) == 1
        worker.start()
        backfill.result()
    stand.wait_resolved(STALE, reason=StaleReason.PARTITIONS_CHANGED)


def take_over(client: "redis.Redis", fleet: Fleet, source: Input) -> None:
    """Own every shard as another worker would, and let the worker store a checkpoint."""
    for partition in range(PARTITIONS):
        meta = ShardKeys(fleet.settings.app, partition).meta
        client.hincrby(meta, "epoch", 1)
        client.hset(meta, "owner", "another worker")
    source.send(4 * PARTITIONS)


def delete(kafka: KafkaServer, fleet: Fleet) -> None:
    """Delete all records of the page views, as retention would."""
    topic = fleet.topic("page_views")
    ends = {p: end for p, (_, end) in topic_bounds(fleet.settings, topic).items()}
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    wanted = [TopicPartition(topic, p, end) for p, end in ends.items()]
    for done in admin.delete_records(wanted).values():
        done.result(30)
