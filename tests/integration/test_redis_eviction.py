"""Every node of a Redis cluster is asked whether it may evict counters, replicas too."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import redis
from msgspec.structs import replace
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException

from stream.settings.application import Settings
from stream.settings.connections import RedisSettings
from stream.store.connection import connect_redis
from stream.store.memory import MemoryWatch
from tests.conftest import missing
from tests.faults.worker_process import wait_until
from tests.servers.process import ServerMissing
from tests.servers.redis_server import RedisServer

CLUSTER = (
    "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000"
)  # fmt: skip


def direct(server: RedisServer) -> "redis.Redis":
    return redis.Redis.from_url(server.url, decode_responses=True)


@pytest.fixture
def nodes() -> Iterator[list[RedisServer]]:
    """Two primaries with half of the slots each, and a replica of the first."""
    with ExitStack() as stack:
        try:
            servers = [stack.enter_context(RedisServer(CLUSTER)) for _ in range(3)]
        except ServerMissing as error:
            missing(error)
        first, second, replica = map(direct, servers)
        first.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
        second.execute_command("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
        for server in servers[1:]:
            first.execute_command("CLUSTER", "MEET", "127.0.0.1", server.port)
        name = first.execute_command("CLUSTER", "MYID")
        wait_until("the replica knows its primary", lambda: knows(replica, name))
        replica.execute_command("CLUSTER", "REPLICATE", name)
        wait_until("the cluster is whole", lambda: is_whole(servers[0]))
        yield servers


def knows(client: "redis.Redis", name: str) -> bool:
    return name in str(client.execute_command("CLUSTER", "NODES"))


def is_whole(server: RedisServer) -> bool:
    try:
        with RedisCluster.from_url(server.url) as client:
            return (len(client.get_primaries()), len(client.get_replicas())) == (2, 1)
    except (redis.RedisError, RedisClusterException):
        return False


async def test_each_node_that_may_evict_is_named(nodes: list[RedisServer]) -> None:
    settings = replace(Settings(), redis=RedisSettings(url=nodes[0].url, cluster=True))
    client = connect_redis(settings)
    watch = MemoryWatch(client, settings, print)
    assert await watch.evicting() == {}
    for node in nodes:
        with direct(node) as one:
            one.config_set("maxmemory-policy", "volatile-lru")
            assert await watch.evicting() == {f"127.0.0.1:{node.port}": "volatile-lru"}
            one.config_set("maxmemory-policy", "noeviction")
    await client.aclose()
