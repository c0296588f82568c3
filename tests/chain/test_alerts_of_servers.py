"""Servers and workers that are away: each alert about them fires and resolves on every hop."""

import os
import shutil
import signal
import time
from contextlib import ExitStack
from pathlib import Path

from confluent_kafka.admin import AclOperation

from agents.monitoring.rules.rule_file import HEADING_PREFIX
from stream.publish.staleness import StaleReason
from tests.chain.incidents import failures, fired
from tests.chain.stand import Stand
from tests.faults.fleet import PARTITIONS, Fleet
from tests.faults.traffic import views_now
from tests.faults.worker_process import WorkerProcess, wait_until
from tests.servers.kafka_server import KafkaServer
from tests.servers.redis_server import RedisServer
from tests.servers.rights import topic, without

STALE = "NumbersStale"
SETTINGS = {
    # Old values are withheld after a moment, so that the test need not wait for half a minute.
    "PUBLISH_SNAPSHOT_MAX_AGE_SECONDS": "4",
    # Until the session of a dead worker is over, its shards have no owner.
    "KAFKA_SESSION_TIMEOUT_SECONDS": "25",
}


def test_every_alert_about_lost_servers_and_workers_fires_and_resolves(
    guarded_kafka: KafkaServer, own_redis: RedisServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        fleet = stack.enter_context(
            Fleet(guarded_kafka.bootstrap, own_redis.url, tmp_path, workers=3, settings=SETTINGS)
        )
        fleet.create_topics().start()
        stand = stack.enter_context(Stand(fleet))
        stand.wait_firing("Watchdog")
        send(fleet, "before", 500)
        stand.wait_quiet(STALE, "SnapshotStale", "ExporterAbsent", "RebuildRunning")
        for fault in (
            one_worker_of_three_dies, topic_that_refuses, broker_dies, redis_comes_back_empty,
            all_workers_are_away,
        ):  # fmt: skip
            began = time.monotonic()
            fault(stand, fleet, guarded_kafka, own_redis)
            print(f"{fault.__name__}: {time.monotonic() - began:.0f} s")
        assert stand.last("Watchdog", severity="none").status == "firing"  # type: ignore[union-attr]


def send(fleet: Fleet, name: str, times: int = 1) -> None:
    """Send current page views to every partition."""
    for number in range(times):
        fleet.produce(views_now(f"{name}-{number}"))
    fleet.flush()


def one_worker_of_three_dies(
    stand: Stand, fleet: Fleet, _kafka: KafkaServer, _redis: RedisServer
) -> None:
    """Kill a worker: until the others take over, its shards have no owner."""
    # The owner of shard 0 publishes; without it nobody would know of the owners.
    victim = next(w for w in fleet.workers if 0 not in {p for _, p in w.partitions()})
    others = [worker for worker in fleet.workers if worker is not victim]
    before = [assignments(worker) for worker in others]
    victim.kill9()
    stand.wait_firing(STALE, reason=StaleReason.SHARDS_WITHOUT_OWNER)
    stand.wait_resolved(STALE, reason=StaleReason.SHARDS_WITHOUT_OWNER)
    victim.start()
    fleet.wait_assigned()
    grown = [assignments(worker) - was for worker, was in zip(others, before, strict=True)]
    assert min(grown) >= 2, "the others took over, and gave back"
    assert_rebalancing(fleet.directory, grown)
    stand.wait_quiet(STALE)


def assignments(worker: WorkerProcess) -> float:
    """Return how often a worker was assigned partitions."""
    return worker.value("engagement_worker_assignments_total")


def assert_rebalancing(folder: Path, grown: list[float]) -> None:
    """Assert the alert on what workers counted, as if one died in each of twenty minutes.

    A group cannot rebalance so often within the seconds of this test.
    """
    minutes, quiet = 20, 40
    series: dict[str, list[float | None]] = {}
    for number, by in enumerate(grown):
        name = f'engagement_worker_assignments_total{{job="engagement",instance="w{number}"}}'
        counted = [by * minute for minute in range(minutes)]
        series[name] = [*counted, *[counted[-1]] * quiet]
    alert = HEADING_PREFIX + "Rebalancing"
    expected = {fired(alert, 5): (minutes, 1.0), fired(alert, 1): (minutes + quiet - 1, 0.0)}
    assert failures(folder, alert, series, expected) == ""


def topic_that_refuses(stand: Stand, fleet: Fleet, kafka: KafkaServer, _redis: RedisServer) -> None:
    """Take the right to write the topic of the numbers, and give it back."""
    with without(kafka.bootstrap, AclOperation.WRITE, topic(fleet.topic("metrics"))):
        send(fleet, "refused")
        stand.wait_firing(STALE, reason=StaleReason.OUTPUT_REFUSED)
    stand.wait_resolved(STALE, reason=StaleReason.OUTPUT_REFUSED)


def broker_dies(stand: Stand, _fleet: Fleet, kafka: KafkaServer, _redis: RedisServer) -> None:
    """Kill the broker, and start it again."""
    kafka.kill()
    stand.wait_firing(STALE, reason=StaleReason.BROKER_AWAY)
    kafka.start()
    stand.wait_resolved(STALE, reason=StaleReason.BROKER_AWAY)


def redis_comes_back_empty(
    stand: Stand, fleet: Fleet, kafka: KafkaServer, redis: RedisServer
) -> None:
    """Kill Redis, lose its data, and let the logs be counted again."""
    redis.kill()
    shutil.rmtree(redis.directory / "appendonlydir")
    stand.wait_firing(STALE, reason=StaleReason.REDIS_AWAY)
    stand.wait_firing("SnapshotStale")
    # So that counting again lasts: without the broker there is nothing to read.
    os.kill(kafka.pid or 0, signal.SIGSTOP)
    redis.start()
    stand.wait_firing("RebuildRunning")
    stand.wait_firing(STALE, reason=StaleReason.SHARDS_REBUILDING)
    os.kill(kafka.pid or 0, signal.SIGCONT)
    for alert in ("SnapshotStale", "RebuildRunning"):
        stand.wait_resolved(alert)
    for reason in (StaleReason.REDIS_AWAY, StaleReason.SHARDS_REBUILDING):
        stand.wait_resolved(STALE, reason=reason)
    wait_until("the logs are counted again", lambda: fleet.lag() == 0 and bool(fleet.position()))
    lost = sum(w.value("engagement_worker_state_lost_total") for w in fleet.workers)
    assert lost >= PARTITIONS, "the fault has not happened"


def all_workers_are_away(
    stand: Stand, fleet: Fleet, _kafka: KafkaServer, _redis: RedisServer
) -> None:
    """Stop every worker, and start them again."""
    for worker in fleet.workers:
        assert worker.stop() == 0
    stand.wait_firing("ExporterAbsent")
    fleet.start()
    stand.wait_resolved("ExporterAbsent")
