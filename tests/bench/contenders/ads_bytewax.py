"""Bytewax: views of ads, joined to campaigns, counted by campaign in windows of ten seconds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower, count_window
from bytewax.testing import run_main

from tests.bench.ads.events import CAMPAIGN_OF, VIEW, WINDOW_SECONDS
from tests.bench.contenders.bytewax_country import CountingOutput
from tests.bench.job import Job


def run(job: Job) -> None:
    def decode(message: Any) -> Any:
        job.meter.start()
        return orjson.loads(message.value)

    def is_view(event: Any) -> bool:
        if event["event_type"] == VIEW:
            return True
        job.meter.add()
        return False

    def event_time(view: tuple[str, int]) -> datetime:
        return datetime.fromtimestamp(view[1] / 1000, UTC)

    # Partitions advance at different paces, and an event late for the time of another one is dropped.
    clock = EventClock(event_time, wait_for_system_duration=timedelta(days=1))
    midnight = datetime(2025, 1, 1, tzinfo=UTC)
    windows = TumblingWindower(length=timedelta(seconds=WINDOW_SECONDS), align_to=midnight)
    flow = Dataflow("ads")
    messages = op.input("in", flow, KafkaSource([job.bootstrap], [job.topic], tail=False))
    views = op.filter("filter", op.map("decode", messages, decode), is_view)
    joined = op.map("join", views, lambda one: (CAMPAIGN_OF[one["ad_id"]], one["event_time"]))
    counted = count_window("count", joined, clock, windows, lambda view: view[0])
    op.output("out", counted.down, CountingOutput(job))
    run_main(flow)
