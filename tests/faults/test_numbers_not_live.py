"""Numbers that are not live are shown as such by every worker, for every reason, until it is over."""

import shutil
import threading
from collections import Counter
from pathlib import Path

import msgspec
import redis
from confluent_kafka.admin import AclOperation

from schemas.outputs import MetricRecord
from stream.publish.staleness import StaleReason
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.topics import read_all
from tests.faults.traffic import views_now
from tests.faults.worker_process import WorkerProcess, wait_until
from tests.servers.kafka_server import KafkaServer
from tests.servers.redis_server import RedisServer
from tests.servers.rights import topic, without

#: Old values are withheld after a moment, so that tests need not wait for half a minute.
SETTINGS = {"PUBLISH_SNAPSHOT_MAX_AGE_SECONDS": "5"}
VIEWS = "engagement_page_views_total"


def stale(worker: WorkerProcess) -> set[str]:
    """Return the reasons that a worker's gauge shows."""
    return {
        dict(labels)["reason"]
        for (name, labels), value in (worker.page() or {}).items()
        if name == "engagement_stale" and value
    }


def wait_stale(reason: StaleReason, workers: list[WorkerProcess], text: str) -> None:
    """Wait until all these workers show the reason in the gauge and, with the text, on /readyz."""

    def is_shown(worker: WorkerProcess) -> bool:
        status, checks = worker.ready()
        return status == 503 and text in checks.get(reason, "") and reason in stale(worker)

    wait_until(f"{reason} is shown: {text!r}", lambda: all(map(is_shown, workers)))


def wait_live(workers: list[WorkerProcess]) -> None:
    """Wait until all these workers show numbers as live."""
    wait_until(
        "numbers are live", lambda: all(w.ready()[0] == 200 and not stale(w) for w in workers)
    )


def send(fleet: Fleet, name: str, times: int = 1) -> None:
    """Send current page views to every partition."""
    for number in range(times):
        fleet.produce(views_now(f"{name}-{number}"))
    fleet.flush()


def wait_shown(workers: list[WorkerProcess], views: int) -> None:
    """Wait until all these workers show this number of page views."""
    wait_until(f"{views} views are shown", lambda: all(w.value(VIEWS) == views for w in workers))


def said(worker: WorkerProcess) -> str:
    """Return the whole log of a worker."""
    return worker.log.read_text(errors="replace")


def test_a_broker_that_is_away_is_shown_and_its_return_as_well(
    own_kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Fleet(own_kafka.bootstrap, redis_url, tmp_path, settings=SETTINGS) as fleet:
        fleet.create_topics().start()
        send(fleet, "before")
        wait_shown(fleet.workers, PARTITIONS)
        own_kafka.kill()
        wait_stale(StaleReason.BROKER_AWAY, fleet.workers, "Kafka has not answered")
        wait_until(
            "old values are withheld", lambda: not any(w.value(VIEWS) for w in fleet.workers)
        )
        own_kafka.start()
        wait_live(fleet.workers)
        send(fleet, "after")
        wait_shown(fleet.workers, 2 * PARTITIONS)
        for worker in fleet.workers:
            assert said(worker).count("Kafka has not answered") == 1
            assert said(worker).count("Kafka is back after") == 1
            # Client libraries report each attempt to connect.
            assert len(said(worker).splitlines()) < 60, said(worker)


class Values(threading.Thread):
    """Every value of the page views that workers show while it runs."""

    def __init__(self, workers: list[WorkerProcess]) -> None:
        super().__init__(daemon=True)
        self._workers, self._over = workers, threading.Event()
        self.seen: Counter[float] = Counter()
        self.reasons: set[str] = set()

    def run(self) -> None:
        while not self._over.wait(0.1):
            for worker in self._workers:
                page = worker.page() or {}
                self.seen.update(v for (name, _), v in page.items() if name == VIEWS)
                self.reasons |= stale(worker)

    def stop(self) -> None:
        """End the watching."""
        self._over.set()
        self.join()


def test_an_emptied_redis_is_counted_again_before_anything_is_shown_or_published(
    kafka: KafkaServer, own_redis: RedisServer, tmp_path: Path
) -> None:
    with Fleet(kafka.bootstrap, own_redis.url, tmp_path, settings=SETTINGS) as fleet:
        fleet.create_topics().start()
        send(fleet, "before", 500)
        views = 500 * PARTITIONS
        wait_shown(fleet.workers, views)
        wait_until("the number is published", lambda: published(fleet)[-1:] == [views])
        values = Values(fleet.workers)
        values.start()
        own_redis.kill()
        wait_stale(StaleReason.REDIS_AWAY, fleet.workers, "Redis does not answer")
        shutil.rmtree(own_redis.directory / "appendonlydir")
        own_redis.start()
        wait_until("the logs are counted again", lambda: fleet.lag() == 0 and fleet.position())
        wait_live(fleet.workers)
        send(fleet, "after")
        wait_shown(fleet.workers, views + PARTITIONS)
        wait_until("it is published", lambda: published(fleet)[-1:] == [views + PARTITIONS])
        values.stop()

        assert lost(fleet) == PARTITIONS
        assert {*values.seen} <= {views, views + PARTITIONS}, "a number of some records was shown"
        assert published(fleet) == sorted(published(fleet)), (
            "a number of some records was published"
        )
        logs = "".join(map(said, fleet.workers))
        assert logs.count("its state is gone from Redis") == PARTITIONS
        assert logs.count("Redis is back after") == len(fleet.workers)
        assert "all shards are counted again after" in logs
        for partition in range(PARTITIONS):
            assert logs.count(f"shard {partition}: loaded again after") == 1
        assert_lost_while_no_worker_ran(fleet, own_redis, views + PARTITIONS)


def assert_lost_while_no_worker_ran(fleet: Fleet, server: RedisServer, views: int) -> None:
    """Empty Redis while no worker runs: the offsets committed to Kafka tell that there was a state."""
    for worker in fleet.workers:
        worker.stop()
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    fleet.start()
    wait_shown(fleet.workers, views)
    assert lost(fleet) == PARTITIONS
    assert published(fleet) == sorted(published(fleet))


def lost(fleet: Fleet) -> float:
    """Return the number of shards whose loss the workers have counted."""
    return sum(w.value("engagement_worker_state_lost_total") for w in fleet.workers)


def published(fleet: Fleet) -> list[float]:
    """Return the published numbers of today's page views, in the order of their revisions."""
    decode = msgspec.json.Decoder(MetricRecord).decode
    records = [
        decode(value) for _, value in read_all(fleet.settings, fleet.topic("metrics")) if value
    ]
    found = [
        (r.revision, r.value or 0)
        for r in records
        if r.metric == "page_views" and r.window.kind == "day" and not r.dimensions
    ]
    return [value for _, value in sorted(found)]


def test_a_topic_that_may_not_be_written_is_named_while_counting_goes_on(
    guarded_kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Fleet(guarded_kafka.bootstrap, redis_url, tmp_path, settings=SETTINGS) as fleet:
        fleet.create_topics()
        name = fleet.topic("metrics")
        with without(guarded_kafka.bootstrap, AclOperation.WRITE, topic(name)):
            fleet.start()
            send(fleet, "one")
            wait_stale(StaleReason.OUTPUT_REFUSED, fleet.workers, f"{name!r}: the right WRITE")
            send(fleet, "two")
            wait_shown(fleet.workers, 2 * PARTITIONS)
        wait_live(fleet.workers)
        wait_until("all is published", lambda: published(fleet)[-1:] == [2 * PARTITIONS])
        logs = "".join(map(said, fleet.workers))
        assert logs.count(f"Kafka refuses records of topic {name!r}") == 1
        assert "the output topics take records again after" in logs


def test_a_silent_worker_and_a_halted_partition_are_shown_by_all_others(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    # Its shards stay without an owner until the session of the frozen worker is over.
    settings = SETTINGS | {"KAFKA_SESSION_TIMEOUT_SECONDS": "40", "LEDGER_MIN_EVENTS": "10"}
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=3, settings=settings) as fleet:
        fleet.create_topics().start()
        send(fleet, "before")
        wait_shown(fleet.workers, PARTITIONS)
        owned = {w: {p for _, p in w.partitions()} for w in fleet.workers}
        publisher = next(w for w in fleet.workers if 0 in owned[w])
        other = next(w for w in fleet.workers if w is not publisher)
        for frozen, reason, text in (
            (
                other,
                StaleReason.SHARDS_WITHOUT_OWNER,
                f"no worker has shards {sorted(owned[other])}",
            ),
            (publisher, StaleReason.PUBLISHER_STUCK, "no new numbers"),
        ):
            frozen.pause()
            try:
                wait_stale(reason, [w for w in fleet.workers if w is not frozen], text)
            finally:
                frozen.resume()
            wait_live(fleet.workers)
        bad = [Record("clicks", 1, None, b"nothing") for _ in range(10)]
        fleet.produce(bad)
        fleet.flush()
        place = f"{fleet.topic('clicks')}[1]"
        wait_stale(StaleReason.WATERMARK_STUCK, fleet.workers, place)
