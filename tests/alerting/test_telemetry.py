"""A worker's telemetry for the alerts: rebuilding shards, full dimensions, Redis's memory."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import redis.asyncio
from msgspec.structs import replace

from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry
from stream.counters.sites import Sites
from stream.settings.application import Settings
from stream.settings.connections import RedisSettings
from stream.store.connection import connect_redis
from stream.store.memory import Memory, MemoryWatch
from stream.worker.status import OwnerCounts
from stream.worker.telemetry import Telemetry
from tests.servers.redis_server import RedisServer


class Log:
    """Ends of the topics; None while Kafka has not reported them."""

    def __init__(self) -> None:
        self.ends: dict[str, int | None] = {"clicks": 100, "orders": 10}

    def read_to(self, tp: Any) -> tuple[int | None, int | None]:
        return self.ends[tp.topic], 0


def names(*values: str, most: int = 4) -> SegmentRegistry:
    known = SegmentRegistry(["country"], most, lambda _: Calendar("UTC"))
    for value in values:
        known.values.admit("shop", "country", value)
    return known


def assigned(partition: int, **positions: tuple[int, int]) -> Any:
    topics = {t: SimpleNamespace(next=n, expected=e, goal=0) for t, (n, e) in positions.items()}
    shard = SimpleNamespace(topics=topics, registry=names("DE"))
    return SimpleNamespace(partition=partition, shard=shard)


def telemetry(log: Log, *shards: Any) -> Telemetry:
    owner: Any = SimpleNamespace(
        counts=OwnerCounts(), assigned_shards={s.partition: s for s in shards}, heaviest=list
    )
    dead_letters: Any = SimpleNamespace(entries_sent=0, failures=0, backlog=0)
    seen: Any = log
    return Telemetry(owner, seen, dead_letters)


def samples(telemetry: Telemetry, name: str) -> dict[tuple[str, ...], float]:
    (family,) = (f for f in telemetry.collect() if f.name == name)
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def rebuilding(telemetry: Telemetry) -> float:
    return samples(telemetry, "engagement_worker_shards_rebuilding")[()]


def test_a_shard_taken_over_is_rebuilding_until_its_event_ids_are_restored() -> None:
    shard = assigned(0, clicks=(50, 20), orders=(10, 10))
    page = telemetry(Log(), shard)
    assert rebuilding(page) == 1
    shard.shard.topics["clicks"].expected = 50
    assert rebuilding(page) == 0  # Unread records are lag, not rebuilding.


def test_a_dropped_or_loading_shard_is_rebuilding() -> None:
    lost = SimpleNamespace(partition=1, shard=None)
    assert rebuilding(telemetry(Log(), lost, assigned(0, clicks=(5, 5)))) == 1


def test_a_shard_is_rebuilding_up_to_the_goal_of_its_log() -> None:
    shard = assigned(0, clicks=(0, 0), orders=(0, 0))
    topics = shard.shard.topics
    topics["clicks"].goal, topics["orders"].goal = 100, 10
    page = telemetry(Log(), shard)
    assert rebuilding(page) == 1
    topics["clicks"].next = topics["clicks"].expected = 100
    assert rebuilding(page) == 1
    topics["orders"].next = topics["orders"].expected = 10
    assert rebuilding(page) == 0


def test_the_fill_of_a_dimension_is_that_of_the_fullest_shard() -> None:
    log = Log()
    one, two = assigned(0, clicks=(5, 5)), assigned(1, clicks=(5, 5))
    two.shard.registry = names("DE", "FR", "US")
    page = telemetry(log, one, two)
    name = "engagement_worker_dimension_fill_ratio"
    assert samples(page, name) == {("shop", "country"): 0.75}
    two.shard.registry.values.admit("shop", "country", "NL")
    two.shard.registry.values.admit("shop", "country", "BE")  # Becomes `other`.
    assert samples(page, name) == {("shop", "country"): 1.0}


def test_the_fill_of_a_cap_is_that_of_the_fullest_shard() -> None:
    one, two = assigned(0, clicks=(5, 5)), assigned(1, clicks=(5, 5))
    two.shard.registry = SegmentRegistry(
        (), 4, lambda _: Calendar(), sites=Sites(["shop"], 2), segments_max=4, segment_sets_max=2
    )
    for site in ("shop", "one", "two", "three"):
        two.shard.registry.admit_site(site)
    two.shard.registry.own_segment("shop", "page", "/")
    page = telemetry(Log(), one, two)
    found = samples(page, "engagement_worker_cap_fill_ratio")
    assert found["limits.sites_max",] == 1.0
    assert found["limits.segments_max",] == 0.25
    assert found["limits.segment_sets_max",] == 0.0


def test_memory_is_served_as_last_seen() -> None:
    page = telemetry(Log())
    assert samples(page, "engagement_redis_memory_used_bytes") == {}
    page.redis_memory = {"r1:6379": Memory(900, 1000)}
    assert samples(page, "engagement_redis_memory_used_bytes") == {("r1:6379",): 900}
    assert samples(page, "engagement_redis_memory_max_bytes") == {("r1:6379",): 1000}


async def test_a_real_redis_reports_its_memory_and_its_limit(redis_server: RedisServer) -> None:
    with RedisServer(extra=("--maxmemory", "64mb")) as server:
        settings = replace(Settings(), redis=RedisSettings(url=server.url))
        client = connect_redis(settings)
        memory = await MemoryWatch(client, settings, print).look()
        await client.aclose()
    (node,) = memory
    assert node == f"127.0.0.1:{server.port}"
    assert memory[node].limit == 64 * 1024 * 1024
    assert 0 < memory[node].used < memory[node].limit


async def test_every_primary_of_a_cluster_is_asked(redis_server: RedisServer) -> None:
    extra = ("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
    with RedisServer(extra=extra) as server:
        async with redis.asyncio.Redis.from_url(server.url) as direct:
            await direct.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        settings = replace(Settings(), redis=RedisSettings(url=server.url, cluster=True))
        client = connect_redis(settings)
        memory = await MemoryWatch(client, settings, print).look()
        await client.aclose()
    assert [*memory] == [f"127.0.0.1:{server.port}"]
    assert memory[f"127.0.0.1:{server.port}"].limit == 0


async def test_unknown_memory_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    class Enough(Exception):
        """Raised to end the endless loop."""

    async def enough(_: float) -> None:
        raise Enough

    settings = replace(Settings(), redis=RedisSettings(url="redis://127.0.0.1:1/0"))
    client = connect_redis(settings)
    seen: list[Mapping[str, Memory]] = []
    monkeypatch.setattr("stream.store.memory.asyncio.sleep", enough)
    with pytest.raises(Enough):
        await MemoryWatch(client, settings, seen.append).run()
    await client.aclose()
    assert seen == [{}]
