"""Our batch transport alone: Faust with one message a fetch, decoding and nothing else."""

from tests.bench.job import Job, Unavailable


def run(job: Job) -> None:
    raise Unavailable("not written yet")
