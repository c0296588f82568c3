"""Intake: a batch is folded in slices, between which the event loop answers and the shard is whole."""

import asyncio
import json
from typing import Any

import pytest
from faust.types import TP
from msgspec.structs import replace
from redis.exceptions import ConnectionError as RedisDown

from stream.engine.shard import Shard
from stream.kafka.fetch import Fetched
from stream.worker.process.event_loop import LoopLag, SliceSize, in_slices
from tests.unit.worker import stand_ins
from tests.unit.worker.stand_ins import (
    SETTINGS,
    TOPIC,
    Log,
    Raw,
    Redis,
    batch,
    owner,
    partitions,
)

RECORDS = 20_000


async def test_others_have_their_turns_while_a_batch_is_folded() -> None:
    one = owner(Redis(), Log())
    await one.assigned(partitions(0))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await one.consume(TOPIC, 0, batch(0, RECORDS))
    task.cancel()
    assert turns > RECORDS / 1024


async def test_what_is_stored_between_two_slices_is_what_was_folded_up_to_its_offset() -> None:
    redis = Redis()
    one = owner(redis, Log())
    await one.assigned(partitions(0))
    folding = asyncio.create_task(one.consume(TOPIC, 0, batch(0, RECORDS)))
    while not folding.done():
        await one.tick()
        await asyncio.sleep(0)
    await one.finish()
    assert len(redis.stored) > 1, "no checkpoint came between two slices"
    passed = 0
    for checkpoint in redis.stored:
        passed += len(checkpoint.dead_letters)
        assert checkpoint.offsets[TOPIC] == passed
    assert passed == RECORDS


async def test_a_shard_that_starts_over_between_two_slices_takes_no_more_of_the_batch() -> None:
    redis, log = Redis(answers=["CONFLICT"]), Log()
    one = owner(redis, log)
    await one.assigned(partitions(0))
    before = one.assigned_shards[0].shard
    assert before is not None
    folding = asyncio.create_task(one.consume(TOPIC, 0, batch(0, RECORDS)))
    while not before.topics[TOPIC].next:
        await asyncio.sleep(0)
    await one.tick()
    await folding
    assert 0 < before.topics[TOPIC].next < RECORDS
    await asyncio.wait_for(one.assigned_shards[0].ready.wait(), 5)
    after = one.assigned_shards[0].shard
    assert after is not None and after is not before
    assert after.topics[TOPIC].next == 0
    await one.consume(TOPIC, 0, batch(0, RECORDS))
    assert after.topics[TOPIC].next == RECORDS


async def test_a_worker_that_closes_stores_the_slices_that_it_has_folded() -> None:
    redis = Redis()
    one = owner(redis, Log())
    await one.assigned(partitions(0))
    folding = asyncio.create_task(one.consume(TOPIC, 0, batch(0, RECORDS)))
    shard = one.assigned_shards[0].shard
    assert shard is not None
    while not shard.topics[TOPIC].next:
        await asyncio.sleep(0)
    await one.finish()
    await folding
    stored = redis.stored[-1].offsets[TOPIC]
    assert 0 < stored < RECORDS
    assert stored == shard.topics[TOPIC].next


async def test_many_changed_people_are_stored_early(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = replace(SETTINGS.limits, dirty_max=100)
    monkeypatch.setattr(stand_ins, "SETTINGS", replace(SETTINGS, limits=limits))
    redis = Redis()
    one = owner(redis, Log())
    await one.assigned(partitions(0))
    events = [
        json.dumps(
            {"type": "page_view", "event_id": str(n), "event_time": 1_000_000_000_000, "user_id": f"u{n}",
             "page_url": "/"}
        ).encode()
        for n in range(3_000)
    ]  # fmt: skip
    records: list[Any] = [Raw(n, 1_000_000_000_000, value) for n, value in enumerate(events)]
    await one.consume(TOPIC, 0, Fetched(0, len(records), records))
    assert len(redis.stored) > 1
    assert max(len(checkpoint.people) for checkpoint in redis.stored) < 2_000


async def test_redis_away_between_two_slices_makes_the_shard_start_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    redis, log = Redis(), Log()
    one = owner(redis, log)
    await one.assigned(partitions(0))
    prepare, calls = Shard.prepare, 0

    def fail_later(shard: Shard, decoded: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise RedisDown("away")
        return prepare(shard, decoded)  # type: ignore[arg-type]

    monkeypatch.setattr(Shard, "prepare", fail_later)
    await one.consume(TOPIC, 0, batch(0, RECORDS))
    await asyncio.wait_for(one.assigned_shards[0].ready.wait(), 5)
    assert log.rewinds == [dict.fromkeys(partitions(0), 0)]
    assert TP(TOPIC, 0) in log.rewinds[0]


def test_a_slice_grows_slowly_and_shrinks_at_once() -> None:
    size = SliceSize()
    first = size.records
    size.note(first, 0.0)
    assert size.records == 2 * first
    for _ in range(20):
        size.note(size.records, 0.0)
    largest = size.records
    size.note(largest, largest * 0.01)
    assert size.records == 1
    size.note(1, 60.0)
    assert size.records == 1


async def test_long_work_comes_in_slices_and_whole() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    found = await in_slices(sum(range(n % 7, 400)) for n in range(20_000))
    task.cancel()
    assert len(found) == 20_000
    assert turns > 1


def test_the_longest_wait_is_known_until_after_the_next_scrape() -> None:
    lag = LoopLag()
    began = lag._began
    lag.note(2.0, began + 1)
    lag.note(0.1, began + 30)
    assert lag.seconds == 2.0
    lag.note(0.2, began + 61)
    assert lag.seconds == 2.0
    lag.note(0.3, began + 122)
    assert lag.seconds == 0.3
