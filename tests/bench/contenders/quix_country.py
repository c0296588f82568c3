"""Quix Streams: page views a minute by country; re-keying needs a topic of its own."""

from datetime import timedelta

from quixstreams.dataframe import StreamingDataFrame

from tests.bench.contenders.quix_visitor import count_by_key
from tests.bench.job import Job


def run(job: Job) -> None:
    # Partitions advance at different paces, and an event late for the time of another one is
    # dropped.
    count_by_key(job, by_country, grace=timedelta(days=1))


def by_country(views: StreamingDataFrame) -> StreamingDataFrame:
    return views.group_by(lambda event: event["context"]["country"], name="country")
