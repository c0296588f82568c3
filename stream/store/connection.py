"""The Redis connection: short timeouts, no silent retries, one server or a cluster."""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, Protocol

import hiredis
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from stream.settings.application import Settings

_PATIENT_SECONDS = 60.0


class RedisClient(Protocol):
    """A client of redis.asyncio, for one server or for a cluster."""

    def execute_command(self, *arguments: Any, **options: Any) -> Awaitable[Any]:
        """Send a command; return its answer as redis-py gives it."""

    def pipeline(self, transaction: Any) -> Any:
        """Return a pipeline: its commands go to Redis together."""


async def together(client: RedisClient, commands: Iterable[Sequence[Any]]) -> list[Any]:
    """Send commands without waiting in between; return their answers.

    In a busy worker each wait lets batches go on, which takes far longer than the command.
    """
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    answers: list[Any] = await pipeline.execute()
    return answers


def connect_redis(settings: Settings) -> Any:
    """Return a client that connects at its first command."""
    if settings.redis.cluster:
        options = redis_options(settings)
        # A client of clusters takes none: the settings refuse an encrypted key with a cluster.
        options.pop("ssl_password", None)
        return RedisCluster.from_url(settings.redis.url, **options)
    return connect_server(settings)


def connect_patiently(settings: Settings) -> Any:
    """Return a client for a command: Redis may copy or measure a large key for longer than workers wait."""
    seconds = max(settings.redis.socket_timeout_seconds, _PATIENT_SECONDS)
    return connect_redis(
        replace(settings, redis=replace(settings.redis, socket_timeout_seconds=seconds))
    )


def connect_server(settings: Settings) -> Any:
    """Return a client of the server at `redis.url`, also if it is a node of a cluster."""
    client = Redis.from_url(settings.redis.url, **redis_options(settings))
    pool = client.connection_pool
    pool.connection_class = type("Connection", (_PackedInC, pool.connection_class), {})
    return client


def redis_options(settings: Settings) -> dict[str, Any]:
    """Return the keyword arguments of every asynchronous client.

    By default redis-py retries a command ten times, longer than a Kafka session lasts. Here a
    command fails at once, and the shard starts over from its last checkpoint.
    """
    seconds = settings.redis.socket_timeout_seconds
    options: dict[str, Any] = {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
    }
    return options | credentials(settings)


def credentials(settings: Settings) -> dict[str, Any]:
    """Return the keyword arguments of every client about passwords and certificates."""
    redis = settings.redis
    options: dict[str, Any] = {}
    if redis.password:
        options["password"] = redis.password.reveal()
    if not redis.url.startswith("rediss:"):
        return options
    if redis.ssl_cafile:
        options["ssl_ca_certs"] = redis.ssl_cafile
    if redis.ssl_certfile:
        options["ssl_certfile"] = redis.ssl_certfile
        options["ssl_keyfile"] = redis.ssl_keyfile
        # Always: without a password, OpenSSL asks for that of an encrypted key on the terminal.
        options["ssl_password"] = redis.ssl_key_password.reveal()
    return options


async def redis_time(client: Any) -> float:
    """Return the epoch seconds of Redis, whose clock also dates the checkpoints."""
    answer = await client.time()
    seconds, micros = next(iter(answer.values())) if isinstance(answer, dict) else answer
    return float(seconds) + float(micros) / 1e6


class _PackedInC:
    """Packs commands in C: a checkpoint has tens of thousands of arguments, and Python takes five times as long."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """Return the command as bytes for the wire."""
        if isinstance(args[0], str) and " " in args[0]:
            args = (*args[0].split(), *args[1:])
        return [hiredis.pack_command(args)]
