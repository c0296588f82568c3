"""The same worker without the compiled core, as an editable install has it."""

from tests.bench.contenders import worker
from tests.bench.job import Job


def run(job: Job) -> None:
    worker.run(job, compiled=False)
