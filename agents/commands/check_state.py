"""Checks of the stored state for `engage check`: what a worker would refuse, and who owns the shards."""

import asyncio
from collections.abc import Iterator

from redis.exceptions import RedisError

from agents.commands.findings import Finding
from stream.engine.checkpoint import READ_VERSIONS
from stream.settings.application import Settings
from stream.store.connection import connect_redis, redis_time
from stream.store.inventory import FoundApp, FoundState, find_apps, standing
from stream.store.stored_meta import alive_seconds, is_alive, refusal


def state_findings(settings: Settings) -> Iterator[Finding]:
    """Check the state of this app; `check_log` compares it with Kafka."""
    subject = f"stored state of {settings.app}"
    try:
        app, now = asyncio.run(_read(settings))
    except (RedisError, OSError):
        # The check of Redis says so.
        return
    seconds = alive_seconds(settings)
    state = app.live_state if app else None
    if state is None:
        yield Finding("ok", subject, "none yet: counting begins where the log does")
    else:
        yield from _refused(settings, state, subject)
        yield from _owners(state, now, seconds, subject)
    yield from _left_over(app, now, seconds, subject)


async def _read(settings: Settings) -> tuple[FoundApp | None, float]:
    client = connect_redis(settings)
    try:
        apps = await find_apps(client, lambda _: None, settings.app)
        return apps.get(settings.app), await redis_time(client)
    finally:
        await client.aclose()


def _refused(settings: Settings, state: FoundState, subject: str) -> Iterator[Finding]:
    """Find what a worker that claims these shards would refuse."""
    wanted: dict[str, tuple[str, ...]] = {"version": READ_VERSIONS, "held": ("",)}
    for field, values in wanted.items():
        for partition, shard in sorted(state.shards.items()):
            stored = getattr(shard.meta, field) if shard.meta else values[0]
            if stored not in values:
                text = refusal(settings.app, partition, field, stored, " or ".join(values))
                found, _, advice = text.partition(". ")
                yield Finding("error", subject, found, advice)
                break


def _owners(state: FoundState, now: float, seconds: float, subject: str) -> Iterator[Finding]:
    alive = sorted({meta.owner for meta in state.metas if is_alive(meta, now, seconds)})
    if alive:
        found = f"{len(state.metas)} shards, counted now by {', '.join(alive)}"
    else:
        found = f"{len(state.metas)} shards, no worker is counting"
    yield Finding("ok", subject, found)


def _left_over(app: FoundApp | None, now: float, seconds: float, subject: str) -> Iterator[Finding]:
    if app is None:
        return
    for _, state in sorted(app.states.items()):
        if standing(app, state) == "live" or not state.shards:
            continue
        name = state.generation or "first"
        found = f"generation {name} is {standing(app, state)}: {state.key_count:,} keys"
        if any(is_alive(meta, now, seconds) for meta in state.metas):
            yield Finding("ok", subject, f"{found}, counted now")
        else:
            yield Finding("warning", subject, found, f"engage state remove --generation {name}")
