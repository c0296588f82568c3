"""Our whole worker: every agent, three dimensions, a checkpoint a second to a real Redis with AOF."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import redis.asyncio
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.app import Worker
from agents.worker import tune_collector
import stream.engine.fold
from stream.kafka.fetch import Fetched
from stream.publish.log_identity import LogIdentity
from stream.store.keys import ShardKeys
from stream.settings.application import Settings
from stream.configure.load import load_settings
from tests.bench.job import Job, Unavailable
from tests.servers.redis_server import RedisServer

_PARTITIONS = 4
_OTHERS = ("clicks", "sessions", "subscriptions", "orders", "feedback", "social")


def run(job: Job, compiled: bool = True) -> None:
    if compiled != (not str(stream.engine.fold.__file__).endswith(".py")):
        raise Unavailable(f"the core is {stream.engine.fold.__file__}: a wrong build has no price")
    with RedisServer() as server:
        _move_away(server.pid)
        settings = _settings(job, server.url)
        outputs = (settings.topics.metrics, settings.topics.ledger)
        admin = AdminClient({"bootstrap.servers": job.bootstrap})
        others = [NewTopic(t, _PARTITIONS, 1) for t in (*settings.topics.inputs[1:], *outputs)]
        for future in admin.create_topics(others).values():
            future.result()
        tune_collector()
        asyncio.new_event_loop().run_until_complete(_work(job, settings))
    os._exit(0)  # Some of Faust's tasks ignore their cancellation.


async def _work(job: Job, settings: Settings) -> None:
    worker = Worker(settings, LogIdentity(_PARTITIONS))
    consume = worker.owner.consume
    seen, done = 0, asyncio.Event()

    async def metered(topic: str, partition: int, batch: Fetched) -> None:
        nonlocal seen
        job.meter.start()
        await consume(topic, partition, batch)
        seen += len(batch.records)
        if seen >= job.events:
            done.set()

    worker.owner.consume = metered  # type: ignore[method-assign]
    await worker.start()
    worker.app.finalize()
    await worker.app.start()
    await done.wait()
    await worker.owner.finish()  # The last checkpoint is part of the work.
    shards = [assigned.shard for assigned in worker.owner.assigned_shards.values() if assigned.shard]
    counted = sum(sum(shard.outcomes().values()) for shard in shards)
    job.meter.add(counted)
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
    return held / people


def _settings(job: Job, redis_url: str) -> Settings:
    names = {f"ENGAGE_TOPICS_{role.upper()}": f"{job.run_id}-{role}" for role in _OTHERS}
    return load_settings(
        None,
        {
            "ENGAGE_APP": job.run_id,
            "ENGAGE_KAFKA_BOOTSTRAP_SERVERS": job.bootstrap,
            "ENGAGE_REDIS_URL": redis_url,
            "ENGAGE_TOPICS_PAGE_VIEWS": job.topic,
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
