"""Baseline: aiokafka delivers batches, orjson decodes each event, nothing else happens."""

import asyncio

import orjson
from aiokafka import AIOKafkaConsumer

from tests.bench.job import Job


def run(job: Job) -> None:
    asyncio.run(_consume(job))


async def _consume(job: Job) -> None:
    # Without a group it reads all partitions and commits nothing.
    consumer = AIOKafkaConsumer(
        *job.topics.values(), bootstrap_servers=job.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    # The first fetch may hold a large part of a small topic, so its cost belongs to the run.
    job.meter.start()
    try:
        loads = orjson.loads
        done = False
        while not done:
            batches = await consumer.getmany(timeout_ms=1000)
            for records in batches.values():
                for record in records:
                    loads(record.value)
                done = job.meter.add(len(records))
    finally:
        await consumer.stop()
