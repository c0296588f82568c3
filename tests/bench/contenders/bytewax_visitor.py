"""Bytewax: page views a minute by visitor, the key of the records."""

from datetime import timedelta

from tests.bench.contenders.bytewax_country import count_by
from tests.bench.job import Job


def run(job: Job) -> None:
    count_by(job, lambda event: str(event["visitor_id"]), timedelta(seconds=10))
