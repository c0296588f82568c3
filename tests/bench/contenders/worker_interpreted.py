"""The same worker without the compiled core, as in an editable install."""

from tests.bench.contenders import worker
from tests.bench.job import Job


def run(job: Job) -> None:
    worker.run(job, compiled=False)
