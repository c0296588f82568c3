"""Quix Streams: page views a minute by visitor, with its RocksDB state and changelog topic."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from quixstreams import Application
from quixstreams.dataframe import StreamingDataFrame

from tests.bench.job import Job


def run(job: Job) -> None:
    # Records are keyed by visitor and stamped with their event time: it need not read either.
    count_by_key(job, lambda views: views, grace=timedelta(seconds=10))


def quix_app(job: Job) -> tuple[Application, Callable[[Any], None]]:
    """Return an app that reads from the beginning of the log, and what counts a processed event."""

    def count(_: Any) -> None:
        if job.meter.add():
            os._exit(0)  # an orderly stop takes seconds and is not measured

    app = Application(
        broker_address=job.bootstrap,
        consumer_group=job.run_id,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        state_dir=job.directory / "state",
        loglevel="ERROR",
    )
    return app, count


def count_by_key(
    job: Job, prepare: Callable[[StreamingDataFrame], StreamingDataFrame], grace: timedelta
) -> None:
    """Count windows of a minute for each key of the prepared page views."""
    app, count = quix_app(job)
    views = prepare(app.dataframe(app.topic(job.topic, value_deserializer="json")))
    minutes = views.tumbling_window(duration_ms=timedelta(minutes=1), grace_ms=grace)
    minutes.count().current().update(count)
    app.run()
