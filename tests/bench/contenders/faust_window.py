"""Faust's own windowed table: page views a minute by visitor, with its changelog topic."""

import os

import faust
import orjson
from faust.types import StreamT

from tests.bench.contenders.faust_agent import faust_app
from tests.bench.job import Job

MINUTE = 60.0


def run(job: Job) -> None:
    app = faust_app(job, topic_partitions=4, store="memory://")
    topic = app.topic(job.topic, value_serializer="raw", value_type=bytes)
    views = app.Table("views", default=int, partitions=4).tumbling(MINUTE, expires=60 * MINUTE)

    async def count(stream: StreamT[bytes]) -> None:
        async for value in stream:
            views[orjson.loads(value)["visitor_id"]] += 1
            if job.meter.add():
                os._exit(0)  # an orderly stop takes seconds and is not measured

    app.agent(topic)(count)
    faust.Worker(app, loglevel="error").execute_from_commandline()
