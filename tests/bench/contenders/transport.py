"""Our batch transport alone: Faust with one message a fetch, decoding and nothing else."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import faust
from faust.types import TP

from stream.kafka.fetch import Fetched
from schemas.codec import parse_all
from stream.kafka.transport import CODEC, SCHEME, Transport, register_transport
from tests.bench.job import Job


def run(job: Job) -> None:
    asyncio.run(_consume(job))


async def _consume(job: Job) -> None:
    register_transport()
    app = faust.App(
        job.run_id,
        broker=f"{SCHEME}://{job.bootstrap}",
        datadir=job.directory,
        consumer_auto_offset_reset="earliest",
        table_standby_replicas=1,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        web_enabled=False,
    )
    transport = app.transport
    assert isinstance(transport, Transport)
    waiting = 0

    async def room() -> None:
        while waiting > 8:
            await asyncio.sleep(0.001)

    def delivered() -> None:
        nonlocal waiting
        waiting += 1

    async def assigned(tps: set[TP]) -> Mapping[TP, int]:
        job.meter.start()  # the first fetch is part of the work
        return {tp: 0 for tp in tps}

    transport.assigned, transport.room, transport.delivered = assigned, room, delivered
    topic = app.topic(
        job.topic, key_serializer="raw", value_serializer=CODEC, acks=False, internal=True
    )

    async def read(stream: Any) -> None:
        nonlocal waiting
        async for event in stream.events():
            batch: Fetched = event.value
            parse_all([record.value for record in batch.records])
            waiting -= 1
            if job.meter.add(len(batch.records)):
                os._exit(0)

    app.agent(topic, name="read")(read)
    app.finalize()
    await app.start()
    await asyncio.sleep(3600)
