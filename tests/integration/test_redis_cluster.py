"""A shard's keys live in one slot: claim, store, load and publish work on a real Redis Cluster."""

import pytest
from msgspec.structs import replace
from redis.asyncio.cluster import RedisCluster

from schemas.codec import parse
from stream.configure.compile import build_rules
from stream.engine.checkpoint import restore, settle_checkpoint, take_checkpoint
from stream.engine.shard import Shard
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import required_grains
from stream.people.person import Person
from stream.report.file_report import Line
from stream.settings.application import Settings
from stream.settings.connections import RedisSettings
from stream.store.connection import connect_redis
from stream.store.published import FencedError, Progress, PublishedState
from stream.store.shards import CheckpointRefusedError, Store

_VIEW = b'{"type":"page_view","event_id":"e%d","event_time":%d,"visitor_id":"v%d"}'
_NOW_MS = 1_790_000_000_000


def _settings(url: str) -> Settings:
    return replace(Settings(), redis=RedisSettings(url=url, cluster=True))


def _shard(settings: Settings) -> Shard:
    grains = required_grains(catalogue(settings))
    return Shard(2, ["page-views"], build_rules(settings), grains, 1_000)


def _fold(shard: Shard, count: int) -> None:
    state = shard.topics["page-views"]
    raws = [_VIEW % (n, _NOW_MS + n, n % 7) for n in range(state.next, state.next + count)]
    lines = [Line(state.next + n, _NOW_MS + 10**6, raw, 1) for n, raw in enumerate(raws)]
    decoded = [parse(raw) for raw in raws]
    _, missing = shard.prepare(decoded)
    shard.admit(Person(key) for key in missing)
    people, _ = shard.prepare(decoded)
    shard.apply("page-views", lines, decoded, people, _NOW_MS)


async def test_a_checkpoint_is_stored_loaded_and_fenced_on_a_cluster(
    redis_cluster_url: str,
) -> None:
    settings = _settings(redis_cluster_url)
    client = connect_redis(settings)
    assert isinstance(client, RedisCluster)
    old, new = Store(client, "app", "old", 4), Store(client, "app", "new", 4)
    claim = await old.claim(2)
    shard = _shard(settings)
    _fold(shard, 40)
    checkpoint = take_checkpoint(shard, claim.position)
    await old.store(claim, checkpoint)
    settle_checkpoint(shard)

    taken = await new.claim(2)
    loaded = await new.load(2)
    again = _shard(settings)
    restore(again, taken.sequence, taken.state, loaded.names, loaded.buckets, loaded.opened)
    assert again.outcomes() == shard.outcomes()
    assert again.counters.tables == shard.counters.tables
    people = await new.read_people(2, [f"default\x1fv{n}" for n in range(7)])
    assert all(person.sessions for person in people)

    _fold(shard, 1)
    with pytest.raises(CheckpointRefusedError, match="FENCED"):
        await old.store(claim, take_checkpoint(shard, checkpoint.reached))
    await client.aclose()


async def test_only_the_newest_owner_publishes_on_a_cluster(redis_cluster_url: str) -> None:
    client = connect_redis(_settings(redis_cluster_url))
    states = [
        PublishedState(client, Store(client, "app", owner, 4), "app", 4) for owner in ("a", "b")
    ]
    for state in states:
        await state.progress()
    await states[1].publish(2, Progress(5, {}, None), b"new")
    with pytest.raises(FencedError):
        await states[0].publish(1, Progress(9, {}, None), b"old")
    assert await states[0].snapshot() == b"new"
    await client.aclose()
