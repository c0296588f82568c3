"""Bytewax: page views a minute from its Kafka source in one worker, by one of a few countries."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower, count_window
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from tests.bench.job import Job


class CountingSink(StatelessSinkPartition[Any]):  # type: ignore[misc]
    """Sums the counts of the windows; late or lost events would be missing here."""

    def __init__(self, job: Job) -> None:
        self._meter = job.meter

    def write_batch(self, items: list[Any]) -> None:
        self._meter.add(sum(count for _key, (_window, count) in items))


class CountingOutput(DynamicSink[Any]):  # type: ignore[misc]
    """End of the flow."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def build(self, step_id: str, worker_index: int, worker_count: int) -> CountingSink:
        return CountingSink(self._job)


def run(job: Job) -> None:
    # Partitions advance at different paces, and an event late for the time of another one is
    # dropped.
    count_by(job, lambda event: str(event["context"]["country"]), timedelta(days=1))


def count_by(job: Job, key: Callable[[Any], str], lateness: timedelta) -> None:
    """Count windows of a minute for each key; the cost depends above all on the number of keys."""

    def decode(message: Any) -> Any:
        job.meter.start()
        return orjson.loads(message.value)

    def event_time(event: Any) -> datetime:
        return datetime.fromisoformat(event["event_time"])

    clock = EventClock(event_time, wait_for_system_duration=lateness)
    midnight = datetime(2025, 1, 1, tzinfo=UTC)
    minutes = TumblingWindower(length=timedelta(minutes=1), align_to=midnight)
    flow = Dataflow("views")
    messages = op.input("in", flow, KafkaSource([job.bootstrap], [job.topic], tail=False))
    events = op.map("decode", messages, decode)
    counted = count_window("count", events, clock, minutes, key)
    op.output("out", counted.down, CountingOutput(job))
    run_main(flow)
