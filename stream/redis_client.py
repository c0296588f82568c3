"""The Redis connection: short timeouts, no silent retries, one server or a cluster."""

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from stream.settings import Settings


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
    return Redis.from_url(redis.url, **options)
