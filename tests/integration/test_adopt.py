"""Counts go on over topics that were moved with their offsets, and over no others."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
import redis

from agents.kafka_start import find_log, stored_mismatch
from stream.engine.checkpoint import STATE_VERSION
from stream.engine.stored.shard import StoredShard, StoredTopic
from stream.publish.staleness import StaleReason
from stream.settings.application import Settings
from stream.store.keys import ShardKeys
from tests.faults.fleet import PARTITIONS, Fleet
from tests.faults.traffic import views_now
from tests.servers.kafka_server import KafkaServer


def mismatch(settings: Settings) -> StaleReason | None:
    async def compare() -> StaleReason | None:
        found = await stored_mismatch(settings, await find_log(settings))
        return found and found.reason

    return asyncio.run(compare())


def state(settings: Settings, offsets: Mapping[str, int]) -> bytes:
    """Return the state of a shard that has counted each topic up to an offset."""
    topics = {t: StoredTopic(0, offsets.get(t, 0), 0, 0, 0, {}, {}) for t in settings.topics.inputs}
    return msgspec.msgpack.encode(StoredShard(topics, None, 0, 0, 0, 0, 0))


@pytest.fixture
def moved(kafka: KafkaServer, redis_url: str, tmp_path: Path) -> Fleet:
    """A fleet whose log has one record in each partition, and no state."""
    fleet = Fleet(kafka.bootstrap, redis_url, tmp_path, workers=0).create_topics()
    fleet.produce(views_now("moved"))
    fleet.flush()
    return fleet


@pytest.mark.parametrize(("offset", "code"), [(1, 0), (2, 1)], ids=["moved", "not moved"])
def test_it_needs_every_stored_offset(moved: Fleet, redis_url: str, offset: int, code: int) -> None:
    settings, topic = moved.settings, moved.topic("page_views")
    with redis.Redis.from_url(redis_url) as client:
        for partition in range(PARTITIONS):
            stored = {
                "version": STATE_VERSION, "partitions": PARTITIONS, "epoch": 1, "stored_at": 1,
                "owner": "a worker before", "state": state(settings, {topic: offset}),
                "cluster": "elsewhere", f"topic:{topic}": "old",
            }  # fmt: skip
            client.hset(ShardKeys(settings.app, partition).meta, mapping=stored)
    assert mismatch(settings) == StaleReason.OTHER_CLUSTER
    said = moved.command("state", "adopt", code=code)
    if code:
        assert "not moved with their offsets" in said
        assert mismatch(settings) == StaleReason.OTHER_CLUSTER
    else:
        assert "count on from the stored offsets" in said
        assert mismatch(settings) is None
