"""Fleets for benchmarks: real servers on one core, compiled workers on the others, and what they cost."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import psutil

from tests.compiled import NotCompiled, built
from tests.faults.fleet import Fleet
from tests.faults.worker_process import WorkerProcess
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerMissing
from tests.servers.redis_server import RedisServer

JVM = ("-Xms256m", "-Xmx1g", "-XX:+UseSerialGC")  # lets the broker warm up, unlike in tests


class Bench(NamedTuple):
    """Servers, the environment of compiled workers, and the cores of the workers (empty: any)."""

    kafka: KafkaServer
    redis: RedisServer
    environ: Mapping[str, str]
    cores: tuple[int, ...]
    directory: Path
    #: Settings of every fleet.
    settings: Mapping[str, str] = MappingProxyType({})

    def fleet(self, name: str, workers: int = 1, **settings: str) -> Fleet:
        """Return a fleet with topics of its own; no worker runs yet."""
        directory = self.directory / name
        chosen = {"LOG_LEVEL": "info", **self.settings, **settings}
        fleet = Fleet(
            self.kafka.bootstrap, self.redis.url, directory, workers=workers, settings=chosen
        )
        for worker in fleet.workers:
            worker.environ.update(self.environ)
        return fleet.create_topics()

    def start(self, worker: WorkerProcess, number: int = 0) -> None:
        """Start a worker, pinned to its core if there are cores to choose from."""
        worker.start()
        if self.cores:
            # Before its first thread starts: threads inherit the affinity.
            os.sched_setaffinity(worker.pid, {self.cores[number % len(self.cores)]})


@contextmanager
def bench(kept: Path | None = None, *, interpreted: bool = False) -> Iterator[Bench]:
    """Build the workers, in `kept` if it is given, and start the servers. These keep the first core."""
    cores: tuple[int, ...] = ()
    if sys.platform == "linux":
        first, *others = sorted(os.sched_getaffinity(0))
        cores = tuple(others)
        if cores:
            os.sched_setaffinity(0, {first})
    with tempfile.TemporaryDirectory(prefix="engage-bench-") as directory:
        try:
            environ = {} if interpreted else built(kept or Path(directory) / "build")
            with KafkaServer(jvm=JVM) as kafka, RedisServer() as redis:
                yield Bench(kafka, redis, environ, cores, Path(directory))
        except (ServerMissing, NotCompiled) as error:
            sys.exit(f"cannot run here: {error}")


def cpu_seconds(worker: WorkerProcess) -> float:
    """Return the CPU time that a worker has taken."""
    taken = psutil.Process(worker.pid).cpu_times()
    return float(taken.user + taken.system)


def resident_mb(worker: WorkerProcess) -> float:
    """Return the memory of a worker now."""
    return float(psutil.Process(worker.pid).memory_info().rss) / 2**20
