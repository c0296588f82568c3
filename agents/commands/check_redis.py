"""Checks of Redis for `engage check`: version, eviction, persistence, clock, cluster."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from agents.commands.findings import Finding
from stream.settings.application import Settings

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
        found = f"{type(error).__name__}: {str(error)[:200]}"
        yield Finding("error", where, found, "start Redis, or correct redis.url and redis.password")
        return
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
    options: dict[str, Any] = {}
    if settings.redis.password:
        options["password"] = settings.redis.password.reveal()
    if settings.redis.url.startswith("rediss") and settings.redis.ssl_cafile:
        options["ssl_ca_certs"] = settings.redis.ssl_cafile
    client: redis.Redis = redis.Redis.from_url(
        settings.redis.url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        # With the default of ten retries, a person would wait for most of a minute.
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        **options,
    )
    return client


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
