"""Quix Streams: views of ads, joined to campaigns, counted by campaign in windows of ten seconds."""

from datetime import timedelta
from typing import Any

from tests.bench.ads.events import CAMPAIGN_OF, VIEW, WINDOW_SECONDS
from tests.bench.contenders.quix_visitor import quix_app
from tests.bench.job import Job


def run(job: Job) -> None:
    app, count = quix_app(job)

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
