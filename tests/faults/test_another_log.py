"""Counts and log that do not belong together: counting stops, says so, and nothing is miscounted."""

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from stream.counters import measures
from tests.conftest import provided
from tests.faults.fleet import PARTITIONS, Fleet
from tests.faults.stored import read_counts
from tests.faults.traffic import views_now
from tests.faults.worker_process import WorkerProcess, wait_until
from tests.servers.kafka_server import KafkaServer

ADMIN_SECONDS = 30


@pytest.fixture(scope="module")
def other_kafka() -> Iterator[KafkaServer]:
    """A second cluster, which creates every topic that a client asks for."""
    with provided(lambda: KafkaServer({"auto.create.topics.enable": "true"})) as server:
        yield server


@contextmanager
def counting(kafka: KafkaServer, redis_url: str, directory: Path) -> Iterator[Fleet]:
    """Run one worker that has counted a page view in every partition."""
    with Fleet(kafka.bootstrap, redis_url, directory, workers=1) as fleet:
        fleet.create_topics().start()
        fleet.produce(views_now("before"))
        fleet.flush()
        wait_until("all is counted", lambda: fleet.lag() == 0)
        yield fleet


class Operator:
    """Changes topics behind the worker's back."""

    def __init__(self, kafka: KafkaServer) -> None:
        self._admin = AdminClient({"bootstrap.servers": kafka.bootstrap})

    def grow(self, *topics: str) -> None:
        """Double the partitions of topics."""
        wanted = [NewPartitions(topic, 2 * PARTITIONS) for topic in topics]
        for done in self._admin.create_partitions(wanted).values():
            done.result(ADMIN_SECONDS)

    def recreate(self, topic: str) -> None:
        """Delete a topic and create it again under its name."""
        self._admin.delete_topics([topic])[topic].result(ADMIN_SECONDS)
        wait_until("the topic is created again", lambda: self._is_created(topic))

    def topics(self) -> set[str]:
        """Return all topics of the cluster."""
        return set(self._admin.list_topics(timeout=ADMIN_SECONDS).topics)

    def _is_created(self, topic: str) -> bool:
        wanted = NewTopic(topic, num_partitions=PARTITIONS, replication_factor=1)
        try:
            self._admin.create_topics([wanted])[topic].result(ADMIN_SECONDS)
        except KafkaException:  # It is still being deleted.
            return False
        return True


def readiness(worker: WorkerProcess) -> tuple[int, str]:
    """Return status and text of /readyz; 0 without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def wait_held(worker: WorkerProcess, *words: str) -> None:
    """Wait until a worker says on /readyz, in these words, why its numbers are not live."""

    def is_held() -> bool:
        status, text = readiness(worker)
        return status == 503 and all(word in text for word in words)

    wait_until(f"the worker is not ready because of {words}", is_held)


def wait_ready(worker: WorkerProcess) -> None:
    """Wait until a worker serves live numbers."""
    wait_until("the worker is ready", lambda: readiness(worker)[0] == 200)


def refused(worker: WorkerProcess) -> str:
    """Start a worker that cannot start; return the last line that it prints."""
    worker.start()
    assert worker.wait(60) == 1
    return worker.log.read_text().splitlines()[-1]


def problems(fleet: Fleet) -> str:
    """Return what `engage check` finds wrong, and how it says to mend it."""
    rows = json.loads(fleet.command("check", "--format", "json", code=1))
    return "\n".join(f"{r['found']}; {r['advice']}" for r in rows if r["level"] == "error")


def count_again(fleet: Fleet, *arguments: str) -> None:
    """Follow the advice: a backfill beside the worker that has stopped counting, then a new start."""
    worker = fleet.workers[0]
    with ThreadPoolExecutor(1) as beside:
        done = beside.submit(fleet.command, "backfill", *arguments)
        assert worker.wait(60) == 1
        assert "start the worker again" in worker.log_tail()
        worker.start()
        done.result()
    wait_ready(worker)


def views(fleet: Fleet, partitions: int = PARTITIONS) -> int:
    """Return the page views that are stored."""
    return read_counts(fleet.settings, partitions).total(measures.PAGE_VIEWS)


def test_partitions_added_to_all_inputs_stop_counting(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with counting(kafka, redis_url, tmp_path) as fleet:
        worker = fleet.workers[0]
        Operator(kafka).grow(*fleet.settings.topics.inputs)
        wait_held(worker, f"have {2 * PARTITIONS}", "engage backfill")
        before = fleet.stored()
        fleet.produce(views_now("after"))
        fleet.flush()
        assert "engage backfill" in problems(fleet)
        assert worker.stop() == 0
        [said] = [line for line in worker.log.read_text().splitlines() if "not live" in line]
        assert "engage backfill" in said
        # Nothing is counted that the numbers would not show.
        assert fleet.claimed() == set(range(PARTITIONS))
        assert fleet.stored() == before
        assert "engage backfill" in refused(worker)


def test_partitions_added_to_one_input_stop_counting(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with counting(kafka, redis_url, tmp_path) as fleet:
        worker, operator = fleet.workers[0], Operator(kafka)
        operator.grow(fleet.topic("clicks"))
        wait_held(worker, f"{fleet.topic('clicks')} has {2 * PARTITIONS}")
        assert f"{fleet.topic('clicks')} has {2 * PARTITIONS}" in problems(fleet)
        # The way on, as the message says.
        operator.grow(*set(fleet.settings.topics.inputs) - {fleet.topic("clicks")})
        wait_held(worker, f"have {2 * PARTITIONS}")
        fleet.produce(views_now("after"))
        fleet.flush()
        count_again(fleet)
        assert views(fleet, 2 * PARTITIONS) == 2 * PARTITIONS


@pytest.mark.parametrize("records", [0, 3], ids=["shorter", "longer"])
def test_a_topic_created_again_stops_counting(
    kafka: KafkaServer, redis_url: str, tmp_path: Path, records: int
) -> None:
    with counting(kafka, redis_url, tmp_path) as fleet:
        worker, topic = fleet.workers[0], fleet.topic("page_views")
        before = fleet.position()
        # Frozen, so that it sees no error in between: it finds only records that go on at its offset.
        worker.pause()
        Operator(kafka).recreate(topic)
        for number in range(records):
            fleet.produce(views_now(f"after-{number}"))
        fleet.flush()
        worker.resume()
        wait_held(worker, topic, "engage backfill --accept-loss")
        assert f"topic '{topic}' was deleted or created again" in problems(fleet)
        # No record of the new topic is taken for one of the old.
        assert fleet.position() == before
        if records:
            assert "would be lost" in fleet.command("backfill", code=1)
            count_again(fleet, "--accept-loss")
            assert views(fleet) == records * PARTITIONS
        else:
            assert worker.stop() == 0
            assert "engage backfill --accept-loss" in refused(worker)


def test_another_cluster_cannot_take_over_the_counts(
    kafka: KafkaServer, other_kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with (
        counting(kafka, redis_url, tmp_path / "first") as first,
        Fleet(other_kafka.bootstrap, redis_url, tmp_path / "second", workers=1) as second,
    ):
        names = {key: value for key, value in first.environ.items() if key.startswith("ENGAGE_")}
        del names["ENGAGE_KAFKA_BOOTSTRAP_SERVERS"], names["ENGAGE_CONFIG"]
        second.reconfigure(**{key.removeprefix("ENGAGE_"): value for key, value in names.items()})
        second.create_topics()
        second.produce(views_now("elsewhere"))
        second.flush()
        before = first.claims()
        said = refused(second.workers[0])
        assert "another `app`" in said
        assert all(cluster in said for cluster in (cluster_of(kafka), cluster_of(other_kafka)))
        assert "another `app`" in problems(second)
        assert "another `app`" in second.command("backfill", code=1)
        # The first one still owns its shards, and counts.
        assert first.claims() == before
        first.produce(views_now("after"))
        first.flush()
        wait_until("the first one goes on", lambda: views(first) == 2 * PARTITIONS)


def cluster_of(kafka: KafkaServer) -> str:
    """Return the id of a cluster."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    return str(admin.list_topics(timeout=ADMIN_SECONDS).cluster_id)


def test_a_worker_creates_no_topics(
    other_kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Fleet(other_kafka.bootstrap, redis_url, tmp_path, workers=1) as fleet:
        worker, operator = fleet.workers[0], Operator(other_kafka)
        before = operator.topics()
        wanted = {*fleet.settings.topics.inputs, *fleet.settings.output_topics}
        said = refused(worker)
        assert "engage topics create" in said
        assert all(topic in said for topic in wanted)
        assert operator.topics() == before
        fleet.create_topics()
        fleet.start()
        wait_ready(worker)
        fleet.produce(views_now("now"))
        fleet.flush()
        wait_until("all is counted", lambda: fleet.lag() == 0)
        assert operator.topics() == before | wanted | {"__consumer_offsets"}


def test_a_redis_that_may_evict_is_noticed_until_it_is_mended(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with (
        counting(kafka, redis_url, tmp_path) as fleet,
        redis.Redis.from_url(redis_url) as client,
    ):
        worker = fleet.workers[0]
        wait_ready(worker)
        try:
            client.config_set("maxmemory-policy", "allkeys-lru")
            wait_held(worker, "allkeys-lru", "noeviction")
        finally:
            client.config_set("maxmemory-policy", "noeviction")
        wait_ready(worker)
        log = worker.log.read_text()
        assert log.count("Redis may evict") == 1
        assert log.count("Redis evicts nothing any more") == 1
