"""Our whole worker: every agent, three dimensions, a checkpoint a second to a real Redis with AOF."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import redis.asyncio
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from faust.types import TP

from agents.app import Worker
import stream.engine.fold
from stream.kafka.fetch import Fetched
from stream.engine.shard import Shard
from stream.publish.log_identity import LogIdentity
from stream.worker.process.garbage import COLLECTOR
from stream.store.keys import ShardKeys
from stream.settings.application import Settings
from stream.settings.intake import INPUT_ROLES
from stream.configure.load import load_settings
from tests.bench.job import Job, Unavailable
from tests.servers.redis_server import RedisServer

_PARTITIONS = 4


def run(
    job: Job,
    compiled: bool = True,
    config: Path | None = None,
    check: Callable[[Iterable[Shard]], None] = lambda shards: None,
) -> None:
    """Read the topics with the settings of a file; `check` raises Unavailable if a count is wrong."""
    if compiled != (not str(stream.engine.fold.__file__).endswith(".py")):
        raise Unavailable(f"the core is {stream.engine.fold.__file__}: a wrong build has no price")
    with RedisServer() as server:
        _move_away(server.pid)
        settings = _settings(job, server.url, config)
        outputs = (settings.topics.metrics, settings.topics.ledger)
        empty = set(settings.topics.inputs) - set(job.topics.values())
        admin = AdminClient({"bootstrap.servers": job.bootstrap})
        others = [NewTopic(topic, _PARTITIONS, 1) for topic in (*sorted(empty), *outputs)]
        for future in admin.create_topics(others).values():
            future.result()
        asyncio.new_event_loop().run_until_complete(_work(job, settings, check))
    os._exit(0)  # Some of Faust's tasks ignore their cancellation.


async def _work(
    job: Job, settings: Settings, check: Callable[[Iterable[Shard]], None]
) -> None:
    worker = Worker(settings, LogIdentity(_PARTITIONS))
    assigned, consume, tick = worker.owner.assigned, worker.owner.consume, worker.owner.tick
    seen, consumed, done = 0, 0.0, asyncio.Event()

    async def taken_over(tps: set[TP]) -> Mapping[TP, int]:
        offsets = await assigned(tps)
        job.meter.start()  # the first fetch is part of the work
        return offsets

    async def metered(topic: str, partition: int, batch: Fetched) -> None:
        nonlocal seen, consumed
        await consume(topic, partition, batch)
        seen += len(batch.records)
        if seen >= job.events:
            consumed = time.perf_counter()

    async def ticked() -> None:
        has_all = seen >= job.events
        if has_all and not done.is_set():
            job.meter.leave_out(time.perf_counter() - consumed)
        await tick()
        if has_all:
            done.set()

    worker.owner.assigned = taken_over  # type: ignore[method-assign]
    worker.owner.consume = metered  # type: ignore[method-assign]
    worker.owner.tick = ticked  # type: ignore[method-assign]
    await worker.start()
    worker.app.finalize()
    await worker.app.start()
    COLLECTOR.begin()
    await done.wait()  # Sessions that end with the last events are closed too.
    await worker.owner.finish()  # The last checkpoint is part of the work.
    shards = [assigned.shard for assigned in worker.owner.assigned_shards.values() if assigned.shard]
    check(shards)
    outcomes = [shard.outcomes() for shard in shards]
    job.meter.add(sum(sum(one.values()) for one in outcomes))
    job.meter.note("applied", sum(one.get("applied", 0) for one in outcomes))
    job.meter.note("redis_bytes_a_person", await _bytes_a_person(worker, settings))
    # Measured and stored: Faust's shutdown is not part of it.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(worker.app.stop(), 5)


async def _bytes_a_person(worker: Worker, settings: Settings) -> float:
    """Return the bytes in Redis for the hashes of people, tables and digests included."""
    client = redis.asyncio.Redis.from_url(settings.redis.url)
    keys = [ShardKeys(settings.app, partition).people for partition in worker.owner.assigned_shards]
    held = sum([await client.memory_usage(key, samples=0) or 0 for key in keys])
    people = sum([await client.hlen(key) for key in keys])
    await client.aclose()
    return held / people if people else 0.0  # some event types have no person


def _settings(job: Job, redis_url: str, config: Path | None) -> Settings:
    topics = {role: job.topics.get(role, f"{job.run_id}-{role}") for role in INPUT_ROLES}
    names = {f"ENGAGE_TOPICS_{role.upper()}": topic for role, topic in topics.items()}
    return load_settings(
        config,
        {
            "ENGAGE_APP": job.run_id,
            "ENGAGE_KAFKA_BOOTSTRAP_SERVERS": job.bootstrap,
            "ENGAGE_REDIS_URL": redis_url,
            "ENGAGE_TOPICS_METRICS": f"{job.run_id}-metrics",
            "ENGAGE_TOPICS_LEDGER": f"{job.run_id}-ledger",
            "ENGAGE_WEB_PORT": str(20_000 + os.getpid() % 10_000),
            **names,
        },
    )


def _move_away(pid: int | None) -> None:
    """Move Redis, another server, from the core that is being measured."""
    if pid is None or sys.platform != "linux":
        return
    mine = os.sched_getaffinity(0)
    others = set(range(os.cpu_count() or 1)) - mine
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), others or mine)
