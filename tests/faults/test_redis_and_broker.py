"""Redis and the broker fail under load in every known way, and the numbers stay exact."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.faults.fleet import Fleet
from tests.faults.scenario import Evidence, Fault, Scenario
from tests.faults.stored import wait_published
from tests.faults.test_kill_nine import SETTINGS, start_ms
from tests.faults.traffic import Traffic
from tests.faults.witness import folded, replayed
from tests.faults.worker_process import wait_until
from tests.servers.kafka_server import KafkaServer
from tests.servers.redis_server import RedisServer

SEED, EVENTS = 5, 20_000


class Run:
    """Two watched workers on these servers, and traffic during which one fault happens."""

    def __init__(self, kafka: KafkaServer, server: RedisServer, directory: Path) -> None:
        self.url, self.directory = server.url, directory
        self.fleet = Fleet(
            kafka.bootstrap, server.url, directory, module="tests.faults.witness", settings=SETTINGS
        )
        records = list(Traffic(SEED, EVENTS, start_ms(), days=4).records())
        self.scenario = Scenario(self.fleet, server.url, records, SEED)

    def through(self, fault: Fault) -> Evidence:
        """Run with the fault; every number must be exact afterwards."""
        evidence = self.scenario.run([fault])
        assert evidence.differences == []
        return evidence

    def counted(self, name: str) -> float:
        """Return the sum of a counter of the workers."""
        return sum(w.value(f"engagement_worker_{name}_total") for w in self.fleet.workers)

    def replayed(self) -> int:
        """Return the number of records that were folded more than once."""
        return replayed(folded(self.directory / "folded.txt"))


@pytest.fixture
def run(kafka: KafkaServer, own_redis: RedisServer, tmp_path: Path) -> Iterator[Run]:
    """Run on the broker of all tests, with its own Redis."""
    made = Run(kafka, own_redis, tmp_path)
    with made.fleet:
        yield made


def test_the_numbers_are_exact_after_redis_was_killed(run: Run, own_redis: RedisServer) -> None:
    def fault() -> None:
        own_redis.kill()
        time.sleep(1.0)
        own_redis.start()

    run.through(fault)
    assert run.counted("store_errors") > 0


def test_the_numbers_are_exact_after_redis_lost_its_last_seconds(
    run: Run, own_redis: RedisServer
) -> None:
    """State and offsets go back together, and the log is read again from there."""
    lost: list[int] = []

    def fault() -> None:
        kept = own_redis.directory / "appendonlydir"
        earlier = own_redis.directory / "earlier"
        shutil.copytree(kept, earlier)
        before = sum(run.fleet.position().values())
        wait_until(
            "the workers store more", lambda: sum(run.fleet.position().values()) > before + 500
        )
        lost.append(sum(run.fleet.position().values()) - before)
        own_redis.kill()
        shutil.rmtree(kept)
        earlier.rename(kept)
        own_redis.start()

    run.through(fault)
    assert lost[0] >= 500
    assert run.replayed() >= 500


def test_after_flushall_everything_is_counted_again_from_the_log(run: Run) -> None:
    evidence = run.through(run.scenario.flush)
    assert evidence.flushes == 1
    assert run.counted("state_lost") > 0
    assert run.replayed() > 0
    for _ in range(2):
        # In a new count the same names get other ids: ids in memory must be dropped.
        run.scenario.flush()
        run.fleet.wait_counted()
        wait_published(run.fleet)


def test_a_full_redis_loses_nothing_and_recovers_with_more_memory(run: Run) -> None:
    refusals: list[float] = []

    def fault() -> None:
        with redis.Redis.from_url(run.url, decode_responses=True) as client:
            used = int(client.info("memory")["used_memory"])
            client.config_set("maxmemory", used + 50_000)
            wait_until("checkpoints are refused", lambda: run.counted("store_errors") > 0)
            time.sleep(3.0)
            client.config_set("maxmemory", 0)
            stats = client.info("errorstats")
            refusals.append(float(stats["errorstat_OOM"]["count"]))

    run.through(fault)
    assert refusals[0] > 0


def test_a_frozen_worker_is_fenced_when_it_wakes(run: Run) -> None:
    evidence = run.through(run.scenario.freeze)
    assert (evidence.freezes, evidence.refused > 0) == (1, True)


def test_a_worker_that_is_stopped_hands_over_in_order(run: Run) -> None:
    codes: list[int] = []

    def fault() -> None:
        codes.append(run.fleet.workers[0].stop(timeout=15))

    run.through(fault)
    assert codes == [0]
    # The stopping worker stored everything it had folded: the other one continues from there.
    assert run.replayed() == 0


def test_the_numbers_are_exact_after_the_broker_was_restarted(
    own_kafka: KafkaServer, own_redis: RedisServer, tmp_path: Path
) -> None:
    run = Run(own_kafka, own_redis, tmp_path)
    pids: list[int | None] = []

    def fault() -> None:
        pids.append(own_kafka.pid)
        own_kafka.kill()
        time.sleep(2.0)
        own_kafka.start()
        pids.append(own_kafka.pid)

    with run.fleet:
        run.through(fault)
        assert all(worker.running for worker in run.fleet.workers)
    assert pids[0] != pids[1]
