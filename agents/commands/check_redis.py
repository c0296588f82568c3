"""Checks of Redis for `engage check`: version, eviction, persistence, clock, cluster."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from agents.commands.findings import Finding
from agents.doctor.trouble import redis_trouble
from stream.settings.application import Settings
from stream.store.connection import credentials

TIMEOUT_SECONDS = 5.0
VERSION_MIN = (6, 2)
CLOCK_SKEW_MAX_SECONDS = 2.0


def redis_findings(settings: Settings, clock: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Check Redis; every wait ends after 5 s."""
    where = f"redis {settings.redis.url}"
    client = _client(settings)
    try:
        info: dict[str, Any] = client.info()
        before = clock()
        seconds, micros = client.time()
        skew = seconds + micros / 1e6 - (before + clock()) / 2
    except (redis.RedisError, OSError) as error:
        yield Finding("error", where, *redis_trouble(settings, error))
        return
    try:
        yield from _rights(settings, where, client)
    finally:
        client.close()
    yield from _version(where, info)
    yield from _keeping(where, info)
    yield from _cluster(where, info, settings.redis.cluster)
    if abs(skew) < CLOCK_SKEW_MAX_SECONDS:
        yield Finding("ok", f"{where} clock", f"{skew:+.3f} s from this machine's")
    else:
        advice = "synchronise both clocks (NTP): the clock decides when a quiet partition is idle"
        yield Finding("error", f"{where} clock", f"{skew:+.1f} s from this machine's", advice)


def _client(settings: Settings) -> redis.Redis:
    client: redis.Redis = redis.Redis.from_url(
        settings.redis.url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        # With the default of ten retries, a person would wait for most of a minute.
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        **credentials(settings),
    )
    return client


def _rights(settings: Settings, where: str, client: Any) -> Iterator[Finding]:
    """Try the commands of a worker on a key of the app that is deleted at the end."""
    key = f"{{engage:{settings.app}}}:check"
    missing = []
    for command, *arguments in (
        ("HSET", key, "a", "1"), ("HGET", key, "a"), ("HMGET", key, "a"), ("HGETALL", key),
        ("HKEYS", key), ("HSCAN", key, "0"), ("HINCRBY", key, "a", "1"), ("HDEL", key, "a"),
        ("ZADD", key, "1", "a"), ("ZRANGE", key, "0", "1"), ("ZRANGEBYSCORE", key, "0", "1"),
        ("GET", key), ("EXISTS", key), ("EVAL", "return 1", "0"), ("EVALSHA", "0" * 40, "0"),
        ("UNLINK", key), ("SET", key, "1", "EX", "10"), ("UNLINK", key),
    ):  # fmt: skip
        try:
            client.execute_command(command, *arguments)
        except redis.exceptions.NoPermissionError:
            missing.append(command)
        except (redis.RedisError, OSError):
            # Another type of value, an unknown script, a key of another node: it may be called.
            continue
    if missing:
        found = f"this user may not call {', '.join(dict.fromkeys(missing))} on {{engage:…}}:*"
        advice = "grant it: ACL SETUSER … ~{engage:* +@all -@dangerous +info"
        yield Finding("error", f"{where} rights", found, advice)


def _version(where: str, info: dict[str, Any]) -> Iterator[Finding]:
    text = str(info.get("redis_version", "?"))
    numbers = tuple(int(part) for part in text.split(".")[:2] if part.isdecimal())
    if numbers >= VERSION_MIN:
        yield Finding("ok", f"{where} version", text)
    else:
        yield Finding("error", f"{where} version", text, "use Redis 6.2 or newer")


def _keeping(where: str, info: dict[str, Any]) -> Iterator[Finding]:
    policy = str(info.get("maxmemory_policy", "?"))
    if policy == "noeviction":
        yield Finding("ok", f"{where} eviction", policy)
    else:
        advice = "CONFIG SET maxmemory-policy noeviction: evicted state makes numbers wrong"
        yield Finding("error", f"{where} eviction", policy, advice)
    if info.get("aof_enabled"):
        yield Finding("ok", f"{where} persistence", "append-only file on")
    else:
        advice = "set appendonly yes: without it, a restart of Redis reads all of Kafka again"
        yield Finding("warning", f"{where} persistence", "append-only file off", advice)


def _cluster(where: str, info: dict[str, Any], wanted: bool) -> Iterator[Finding]:
    is_cluster = bool(info.get("cluster_enabled"))
    if is_cluster == wanted:
        return
    found = "is a cluster" if is_cluster else "is not a cluster"
    yield Finding("error", where, found, f"set redis.cluster = {str(is_cluster).lower()}")
