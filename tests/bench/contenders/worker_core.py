"""The same worker with the first metrics alone: what all the others cost on top of them."""

import stream.metrics
import stream.rules
from stream.metrics.metric import Metric
from stream.settings.application import Settings
from tests.bench.contenders import worker
from tests.bench.job import Job
from tests.core_metrics import CORE


def run(job: Job) -> None:
    whole = stream.metrics.built_in

    def built_in(settings: Settings) -> tuple[Metric, ...]:
        return tuple(metric for metric in whole(settings) if metric.name in CORE)

    stream.metrics.built_in = built_in
    # Nothing is kept person by person, or added up, for the metrics that are left out.
    stream.rules.themes = lambda settings: ()  # type: ignore[assignment]
    stream.rules.tallies = lambda settings: ()  # type: ignore[assignment]
    worker.run(job)
