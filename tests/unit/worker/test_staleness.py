"""Reasons why numbers are not live, as the parts of a worker find them."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisDown

from stream.publish.staleness import Stale, StaleReason
from stream.store.worker_reports import WorkerReport
from stream.worker.clock import now_ms
from stream.worker.owner import ShardOwner
from stream.worker.staleness.holds import Holds
from stream.worker.staleness.outputs import Outputs
from stream.worker.staleness.owners import Owners
from stream.worker.staleness.reporter import Reporter
from stream.worker.staleness.shared import SharedReasons
from stream.worker.staleness.watch import StaleWatch
from stream.worker.staleness.watermarks import STUCK_SECONDS, WatermarkWatch
from tests.unit.worker.stand_ins import SETTINGS, TOPIC, Log, Redis, batch, owner, partitions

LATENESS_MS = 300_000


def texts(holds: Holds) -> dict[str, str]:
    return {one.reason: one.text for one in holds.stale}


def test_the_log_says_a_reason_at_both_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    holds = Holds()
    for text in ("Kafka is silent", "Kafka is still silent"):
        holds.hold(StaleReason.BROKER_AWAY, text, since_ms=now_ms() - 12_300)
    holds.release(StaleReason.BROKER_AWAY)
    holds.release(StaleReason.BROKER_AWAY)
    first, last = caplog.messages
    assert first == "numbers are not live: Kafka is silent"
    assert last.startswith("Kafka is back after 12.")


# ---- workers and their shards


def report(beat: int, *shards: int, stale: tuple[Stale, ...] = ()) -> WorkerReport:
    return WorkerReport(beat, list(shards), list(stale))


def test_shards_of_a_worker_that_is_silent_have_no_owner_after_a_while() -> None:
    owners = Owners(3)
    for second in range(10):
        owners.note({"a:1:x": report(second, 0), "b:2:y": report(min(second, 3), 1, 2)}, second)
        assert owners.without_owner(second) == []
    for second in range(10, 16):
        owners.note({"a:1:x": report(second, 0), "b:2:y": report(3, 1, 2)}, second)
    assert owners.without_owner(15) == [1, 2]
    assert owners.silent(15) == ["b:2"]
    owners.note({"a:1:x": report(16, 0, 1, 2), "b:2:y": report(3, 1, 2)}, 16)
    assert owners.without_owner(30) == []
    assert owners.gone(3 + 601) == ["b:2:y"]


def test_a_rebalance_of_some_seconds_leaves_no_shard_without_owner() -> None:
    owners = Owners(2)
    owners.note({"a:1:x": report(1, 0)}, 1)
    owners.note({"a:1:x": report(2, 0)}, 5)
    owners.note({"a:1:x": report(3, 0, 1)}, 6)
    assert owners.without_owner(20) == []


class Reports:
    """Reports that Redis takes or refuses."""

    def __init__(self) -> None:
        self.stored: dict[str, WorkerReport] = {}
        self.error: Exception | None = None

    async def write(self, report: WorkerReport) -> None:
        if self.error is not None:
            raise self.error
        self.stored["a:1:x"] = report

    async def read(self) -> dict[str, WorkerReport]:
        return self.stored

    async def forget(self, names: Any) -> None:
        for name in names:
            del self.stored[name]


async def test_reasons_of_one_worker_reach_the_snapshot_with_its_name() -> None:
    reports: Any = Reports()
    stale = [Stale("broker_away", 1_000, "no answer")]
    await Reporter(reports, lambda: [0, 1], lambda: stale).report()
    shared = SharedReasons(reports, 2)
    assert await shared.look([]) == [Stale("broker_away", 1_000, "no answer (worker a:1)")]
    found = {one.reason: one.text for one in await shared.look({1})}
    assert "lost checkpoints of shards [1]" in found["shards_rebuilding"]
    assert "shards_rebuilding" not in {one.reason for one in await shared.look([])}


async def test_a_redis_that_takes_no_report_is_away_until_it_takes_one() -> None:
    reports: Any = Reports()
    reporter = Reporter(reports, list, list)
    reports.error = RedisDown("refused")
    await reporter.report()
    assert "refused" in texts(reporter.reasons)["redis_away"]
    reports.error = None
    await reporter.report()
    assert texts(reporter.reasons) == {}


# ---- watermarks


class Clock:
    """Monotonic seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def one_shard(log: Log) -> ShardOwner:
    one = owner(Redis(), log)
    await one.assigned(partitions(0))
    return one


async def test_a_watermark_that_stands_still_behind_the_clock_is_stuck() -> None:
    clock, one = Clock(), await one_shard(Log())
    watch = WatermarkWatch(one, LATENESS_MS, clock)
    shard = one.assigned_shards[0].shard
    assert shard is not None
    for topic in shard.topics.values():
        topic.clock = now_ms()
    old = now_ms() - LATENESS_MS - 60_000
    shard.topics[TOPIC].clock = old - 1
    watch.look()
    shard.topics[TOPIC].clock = old
    for clock.now in (1.0, STUCK_SECONDS):
        watch.look()
        assert texts(one.reasons) == {}, "it moved on, or has not stood still for long"
    clock.now = 2 + STUCK_SECONDS
    watch.look()
    assert f"{TOPIC}[0]: the watermark" in texts(one.reasons)["watermark_stuck"]
    shard.topics[TOPIC].clock = now_ms()
    watch.look()
    assert texts(one.reasons) == {}


async def test_a_quiet_topic_that_follows_the_clock_is_not_stuck() -> None:
    clock, one = Clock(), await one_shard(Log())
    watch = WatermarkWatch(one, LATENESS_MS, clock)
    shard = one.assigned_shards[0].shard
    assert shard is not None
    for clock.now in (0.0, 100.0, 200.0):
        for topic in shard.topics.values():
            topic.drained_at = now_ms() + round(clock.now)
        watch.look()
        assert texts(one.reasons) == {}


async def test_a_halted_topic_holds_the_watermark_at_once() -> None:
    one = await one_shard(Log())
    await one.consume(TOPIC, 0, batch(0, 10))
    WatermarkWatch(one, LATENESS_MS).look()
    assert f"{TOPIC}[0]: nearly all records were refused" in texts(one.reasons)["watermark_stuck"]


# ---- all of them


def watched(one: ShardOwner, snapshot: Any) -> StaleWatch:
    kafka: Any = None
    return StaleWatch(one, Outputs(kafka), WatermarkWatch(one, LATENESS_MS), lambda: snapshot, 30)


async def test_a_worker_starts_until_it_has_a_snapshot_and_an_assignment() -> None:
    one = owner(Redis(), Log())
    for snapshot, assign, expected in (
        (None, False, "no partitions"),
        (None, True, "no snapshot"),
        (SimpleNamespace(taken_ms=now_ms(), stale=[]), True, ""),
    ):
        if assign:
            await one.assigned(partitions(0))
        watch = watched(one, snapshot)
        watch.look()
        assert expected in texts(one.reasons).get("starting", "")
        assert watch.reported() == []
    assert texts(one.reasons) == {}


async def test_an_old_snapshot_is_a_stuck_publisher_and_its_values_are_withheld() -> None:
    one = await one_shard(Log())
    watch = watched(one, SimpleNamespace(taken_ms=now_ms() - 31_000, stale=[]))
    watch.look()
    assert [stale.reason for stale in watch.current()] == ["publisher_stuck"]
    assert watch.is_withheld()


async def test_a_first_count_and_a_recount_are_different_reasons() -> None:
    one = await one_shard(Log())
    shard = one.assigned_shards[0].shard
    assert shard is not None
    watch = watched(one, SimpleNamespace(taken_ms=now_ms(), stale=[]))
    shard.topics[TOPIC].goal = 10
    watch.look()
    assert [stale.reason for stale in watch.reported()] == ["first_count"]
    shard.is_recount = True
    watch.look()
    assert [stale.reason for stale in watch.reported()] == ["shards_rebuilding"]
    assert watch.is_withheld()
    await one.consume(TOPIC, 0, batch(0, 10))
    watch.look()
    assert "shards_rebuilding" not in texts(one.reasons)
    assert SETTINGS.ledger.min_events == 10
