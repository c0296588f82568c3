"""Faust's own windowed table: views of ads, joined to campaigns, by campaign and ten seconds."""

import os

import faust
import orjson
from faust.types import StreamT

from tests.bench.ads.events import CAMPAIGN_OF, VIEW, WINDOW_SECONDS
from tests.bench.contenders.faust_agent import faust_app
from tests.bench.job import Job


def run(job: Job) -> None:
    app = faust_app(job, topic_partitions=4, store="memory://")
    topic = app.topic(job.topic, value_serializer="raw", value_type=bytes)
    table = app.Table("campaigns", default=int, partitions=4)
    views = table.tumbling(WINDOW_SECONDS, expires=360 * WINDOW_SECONDS)

    async def count(stream: StreamT[bytes]) -> None:
        async for value in stream:
            event = orjson.loads(value)
            if event["event_type"] == VIEW:
                views[CAMPAIGN_OF[event["ad_id"]]] += 1
            if job.meter.add():
                os._exit(0)  # an orderly stop takes seconds and is not measured

    app.agent(topic)(count)
    faust.Worker(app, loglevel="error").execute_from_commandline()
