"""The Redis connection: short timeouts, no silent retries, one server or a cluster."""

from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from stream.settings.application import Settings


def connect_redis(settings: Settings) -> Any:
    """A client that connects at its first command.

    redis-py retries a command ten times by default, which outlasts a Kafka session; here a failure
    is known at once, and the shard starts over from its last cut.
    """
    redis = settings.redis
    options: dict[str, Any] = {
        "socket_timeout": redis.socket_timeout_seconds,
        "socket_connect_timeout": redis.socket_timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
    }
    if redis.password:
        options["password"] = redis.password.reveal()
    if redis.ssl_cafile:
        options["ssl_ca_certs"] = redis.ssl_cafile
    if redis.cluster:
        return RedisCluster.from_url(redis.url, **options)
    client = Redis.from_url(redis.url, **options)
    pool = client.connection_pool
    pool.connection_class = type("Connection", (_PackedInC, pool.connection_class), {})
    return client


class _PackedInC:
    """A cut has tens of thousands of arguments; redis-py's own packing in Python takes five times as long."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """The command as it goes over the wire."""
        if isinstance(args[0], str) and " " in args[0]:
            args = (*args[0].split(), *args[1:])
        return [hiredis.pack_command(args)]
