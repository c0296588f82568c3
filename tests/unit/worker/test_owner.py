"""Shard owner: the shards it takes over, when a shard starts over, and the problems it reports."""

import asyncio

import pytest
from faust.types import TP
from redis.exceptions import ConnectionError as RedisDown

from stream.engine.shard import Shard
from stream.worker.owner import ShardOwner
from stream.worker.staleness.rebuilding import is_rebuilding
from tests.unit.worker.stand_ins import TOPIC, Log, Redis, batch, owner, partitions


async def _until_loaded(owner: ShardOwner, partition: int) -> Shard:
    assigned = owner.assigned_shards[partition]
    await asyncio.wait_for(assigned.ready.wait(), 5)
    assert assigned.shard is not None
    return assigned.shard


async def test_it_takes_over_whole_partitions_and_reports_the_others() -> None:
    one = owner(Redis(), Log())
    assert one.problem == "no partitions are assigned yet"
    offsets = await one.assigned(partitions(0, 1) | {TP(TOPIC, 2)})
    assert {tp.partition for tp in offsets} == {0, 1} == one.assigned_shards.keys()
    assert one.problem == "partitions [2] are not assigned for all topics"
    assert (one.epoch(0), one.epoch(2)) == (1, None)
    await one.assigned(partitions(1))
    assert (one.problem, [*one.assigned_shards], one.epoch(0)) == ("", [1], None)


async def test_a_batch_is_folded_and_stored_with_its_offsets() -> None:
    redis, log = Redis(), Log()
    one = owner(redis, log)
    await one.assigned(partitions(0))
    await one.consume(TOPIC, 0, batch(0, 5))
    await one.finish()
    [checkpoint] = redis.stored
    assert checkpoint.offsets[TOPIC] == 5
    assert log.commits[0][TP(TOPIC, 0)] == 5
    assert len(checkpoint.dead_letters) == 5


async def test_a_batch_of_a_revoked_shard_is_dropped() -> None:
    one = owner(Redis(), Log())
    await one.assigned(partitions(0))
    await one.consume(TOPIC, 1, batch(0))
    await one.finish()
    await one.consume(TOPIC, 0, batch(0))
    assert one.counts.batches_dropped == 2


@pytest.mark.parametrize(
    ("answer", "count"), [("CONFLICT", "conflicts"), ("LOST", ""), ("OOM", "")]
)
async def test_a_refused_checkpoint_makes_the_shard_start_over(answer: str, count: str) -> None:
    redis, log = Redis(answers=[answer]), Log()
    one = owner(redis, log)
    await one.assigned(partitions(0))
    before = one.assigned_shards[0].shard
    await one.consume(TOPIC, 0, batch(0, 5))
    await one.tick()
    assert await _until_loaded(one, 0) is not before
    await asyncio.sleep(0)
    assert log.rewinds == [dict.fromkeys(partitions(0), 0)]
    assert redis.stored == []
    if count:
        assert getattr(one.counts, count) == 1


async def test_a_lost_shard_is_counted_and_is_a_recount_until_it_is_where_it_was() -> None:
    redis, log = Redis(answers=["OK", "LOST"]), Log()
    one = owner(redis, log)
    await one.assigned(partitions(0))
    await one.consume(TOPIC, 0, batch(0, 5))
    await one.tick()
    redis.is_empty = True
    await one.consume(TOPIC, 0, batch(5, 5))
    await one.tick()
    shard = await _until_loaded(one, 0)
    assert (one.counts.state_lost, shard.is_recount) == (1, True)


async def test_a_shard_that_another_worker_had_is_lost_if_its_offsets_are_committed() -> None:
    for committed_to, lost in ((7, 1), (0, 0)):
        one = owner(Redis(is_empty=True), Log(committed_to=committed_to))
        await one.assigned(partitions(0))
        assert one.counts.state_lost == lost
        assert (await _until_loaded(one, 0)).is_recount == bool(lost)


async def test_an_older_checkpoint_is_read_again_to_where_the_shard_was() -> None:
    redis = Redis(answers=["OK", "CONFLICT"])
    one = owner(redis, Log())
    await one.assigned(partitions(0))
    await one.consume(TOPIC, 0, batch(0, 5))
    await one.tick()
    await one.consume(TOPIC, 0, batch(5, 5))
    await one.tick()
    shard = await _until_loaded(one, 0)
    assert (shard.is_recount, shard.topics[TOPIC].goal, one.counts.state_lost) == (True, 5, 0)
    assert is_rebuilding(one.assigned_shards[0])
    await one.consume(TOPIC, 0, batch(0, 5))
    assert not is_rebuilding(one.assigned_shards[0])


async def test_a_shard_is_loaded_once_redis_answers() -> None:
    redis = Redis(failures=[RedisDown("away"), RedisDown("away")])
    one = owner(redis, Log())
    taking = asyncio.create_task(one.assigned(partitions(0)))
    await asyncio.sleep(0.05)
    assert one.problem == "Redis or Kafka does not answer: away"
    await taking
    assert (one.problem, one.counts.store_errors, redis.loads) == ("", 2, 1)


async def test_a_shard_revoked_while_redis_is_away_is_not_claimed_from_its_new_owner() -> None:
    redis = Redis(answers=["CONFLICT"])
    one = owner(redis, Log())
    await one.assigned(partitions(0))
    await one.consume(TOPIC, 0, batch(0, 5))
    redis.failures = [RedisDown("away")] * 3
    await one.tick()
    await asyncio.sleep(0.15)
    assert one.problem.startswith("Redis or Kafka does not answer")
    await one.assigned(set())
    await asyncio.sleep(0.5)
    assert (redis.loads, one.problem) == (1, "")


async def test_a_worker_that_stops_claims_no_shard_again() -> None:
    redis = Redis(answers=["CONFLICT"])
    one = owner(redis, Log())
    await one.assigned(partitions(0))
    await one.consume(TOPIC, 0, batch(0, 5))
    await one.finish()
    await asyncio.sleep(0.3)
    assert (redis.loads, one.counts.conflicts) == (1, 1)


async def test_a_defect_ends_the_worker_and_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fold(*_: object) -> None:
        raise ZeroDivisionError("a defect of ours")

    redis = Redis()
    one = owner(redis, Log())
    await one.assigned(partitions(0))
    monkeypatch.setattr(Shard, "apply", fold)
    await one.consume(TOPIC, 0, batch(0))
    assert isinstance(one.fatal, ZeroDivisionError)
    assert one.problem.startswith("a defect: ZeroDivisionError")
    await one.finish()
    assert redis.stored == []


async def test_a_halted_topic_is_reported_although_another_shard_is_loaded_later() -> None:
    redis = Redis()
    one = owner(redis, Log())
    await one.assigned(partitions(0))
    await one.consume(TOPIC, 0, batch(0, 10))
    assert "reading has stopped" in one.problem
    await one.assigned(partitions(0, 1))
    assert redis.loads == 2, "the shard in memory is what is stored"
    assert "reading has stopped" in one.problem
    await one.assigned(partitions(1))
    assert one.problem == ""
