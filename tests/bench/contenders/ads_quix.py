"""Quix Streams: views of ads, joined to campaigns, counted by campaign in windows of ten seconds."""

import os
from datetime import timedelta
from typing import Any

from quixstreams import Application

from tests.bench.ads.events import CAMPAIGN_OF, VIEW, WINDOW_SECONDS
from tests.bench.job import Job


def run(job: Job) -> None:
    app = Application(
        broker_address=job.bootstrap,
        consumer_group=job.run_id,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        state_dir=job.directory / "state",
        loglevel="ERROR",
    )

    def count(_: Any) -> None:
        if job.meter.add():
            os._exit(0)  # an orderly stop takes seconds and is not measured

    def is_view(event: Any) -> bool:
        if event["event_type"] == VIEW:
            return True
        count(event)
        return False

    events = app.dataframe(app.topic(job.topic, value_deserializer="json"))
    views = events.filter(is_view).apply(
        lambda event: {"campaign": CAMPAIGN_OF[event["ad_id"]], "event_time": event["event_time"]}
    )
    # Records are stamped with their event time. Re-keying needs a topic of its own.
    by_campaign = views.group_by("campaign")
    windows = by_campaign.tumbling_window(
        duration_ms=timedelta(seconds=WINDOW_SECONDS), grace_ms=timedelta(days=1)
    )
    windows.count().current().update(count)
    app.run()
