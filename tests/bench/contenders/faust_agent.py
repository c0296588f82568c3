"""Faust as in its documentation: an agent that takes one event after the other, without state."""

import os
from typing import Any

import faust
import orjson
from faust.types import StreamT

from tests.bench.job import Job


def faust_app(job: Job, **settings: Any) -> faust.App:
    """Return an app that reads from the beginning of the log; `settings` are further ones of Faust."""
    return faust.App(
        job.run_id,
        broker=f"kafka://{job.bootstrap}",
        datadir=job.directory,
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        web_enabled=False,
        **settings,
    )


def run(job: Job) -> None:
    app = faust_app(job)
    topic = app.topic(job.topic, value_serializer="raw", value_type=bytes)

    async def decode(stream: StreamT[bytes]) -> None:
        async for value in stream:
            orjson.loads(value)
            if job.meter.add():
                os._exit(0)  # an orderly stop takes seconds and is not measured

    app.agent(topic)(decode)
    faust.Worker(app, loglevel="error").execute_from_commandline()
