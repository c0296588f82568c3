"""The same worker with the core metrics alone: the baseline for the cost of all others."""

import stream.configure.compile
import stream.metrics.catalogue
from stream.metrics.metric import Metric
from stream.settings.application import Settings
from tests.bench.contenders import worker
from tests.bench.job import Job
from tests.core_metrics import CORE


def run(job: Job) -> None:
    whole = stream.metrics.catalogue.built_in

    def built_in(settings: Settings) -> tuple[Metric, ...]:
        return tuple(metric for metric in whole(settings) if metric.name in CORE)

    stream.metrics.catalogue.built_in = built_in
    # Skip the person histories and counters of the other metrics.
    stream.configure.compile.aggregates = lambda settings: ()  # type: ignore[assignment]
    stream.configure.compile.event_counters = lambda settings: ()  # type: ignore[assignment]
    worker.run(job)
