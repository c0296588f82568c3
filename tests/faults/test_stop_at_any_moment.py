"""SIGTERM at any moment, with Kafka or Redis away or stalled: the end comes in time, the numbers are exact."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.faults.fleet import Fleet
from tests.faults.recount import differences
from tests.faults.stored import read_counts, wait_published
from tests.faults.test_kill_nine import SETTINGS, start_ms
from tests.faults.traffic import Traffic
from tests.faults.worker_process import TimedOut, WorkerProcess, wait_until
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerProcess
from tests.servers.redis_server import RedisServer

#: Two of them start before the fault of a round, two with it.
SEED, EVENTS, WORKERS = 8, 20_000, 4
#: Supervisors such as Docker wait this long before they kill.
END_SECONDS = 10.0
#: Ended before the command had begun: by the signal itself, or by the first handler.
EARLY = (-signal.SIGTERM, 128 + signal.SIGTERM)


class Stop(NamedTuple):
    """One worker that was told to stop: when, and what came of it."""

    moment: float
    running: bool
    seconds: float
    code: int


def stop_at(worker: WorkerProcess, moment: float, found: list[Stop]) -> None:
    """Start a worker unless it runs, send it SIGTERM at the moment, and note when and how it ended."""
    if not worker.running:
        worker.start()
    time.sleep(moment)
    running = worker.running
    if running:
        os.kill(worker.pid, signal.SIGTERM)
    began = time.monotonic()
    try:
        code = worker.wait(3 * END_SECONDS)
    except TimedOut:
        worker.end()
        code = worker.wait(0)
    found.append(Stop(moment, running, time.monotonic() - began, code))


def stall(server: ServerProcess) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)


def resume(server: ServerProcess) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGCONT)


class Round(NamedTuple):
    """Fault that happens while some workers start and are stopped, and its repair."""

    name: str
    fault: Callable[[], object]
    mend: Callable[[], object]


def moments(rng: random.Random) -> list[float]:
    """Return a moment for each worker: two that work when the fault happens, two that start then."""
    return [rng.uniform(0, 2), rng.uniform(2, 6), rng.uniform(0, 1), rng.uniform(1, 6)]


def test_sigterm_at_twenty_moments_loses_nothing(
    own_kafka: KafkaServer,
    own_redis: RedisServer,
    tmp_path: Path,
) -> None:
    rng = random.Random(SEED)
    nothing = lambda: None  # noqa: E731
    rounds = [
        Round("undisturbed", nothing, nothing),
        Round("Redis stalled", lambda: stall(own_redis), lambda: resume(own_redis)),
        Round("Redis away", own_redis.kill, own_redis.start),
        Round("Kafka stalled", lambda: stall(own_kafka), lambda: resume(own_kafka)),
        Round("Kafka away", own_kafka.kill, own_kafka.start),
    ]
    records = list(Traffic(SEED, EVENTS, start_ms(), days=4).records())
    share = len(records) // len(rounds)
    with Fleet(
        own_kafka.bootstrap, own_redis.url, tmp_path, workers=WORKERS, settings=SETTINGS
    ) as fleet:
        fleet.create_topics()
        for number, one in enumerate(rounds):
            fleet.produce(records[number * share : (number + 1) * share])
            fleet.flush()
            # They work on what was sent; those that start later make them share it again.
            for worker in fleet.workers[:2]:
                worker.start()
            wait_until("it works", lambda: any(w.partitions() for w in fleet.workers[:2]))
            one.fault()
            found: list[Stop] = []
            stops = [
                threading.Thread(target=stop_at, args=(worker, moment, found))
                for worker, moment in zip(fleet.workers, moments(rng), strict=True)
            ]
            for thread in stops:
                thread.start()
            for thread in stops:
                thread.join()
            one.mend()
            print(one.name, sorted(found))
            assert len(found) == WORKERS
            for stop in found:
                check(one.name, stop, fleet)
        fleet.produce(records[len(rounds) * share :])
        fleet.flush()
        for worker in fleet.workers:
            worker.start()
        fleet.wait_counted()
        assert differences(fleet, read_counts(fleet.settings), records) == []
        snapshot = wait_published(fleet).snapshot
        assert snapshot is not None
        assert snapshot.unaccounted == 0


def check(name: str, stop: Stop, fleet: Fleet) -> None:
    logs = "\n".join(worker.log_tail() for worker in fleet.workers)
    assert stop.seconds < END_SECONDS, f"{name}: {stop}\n{logs}"
    if stop.running:
        assert stop.code in (0, *EARLY), f"{name}: {stop}\n{logs}"
    else:
        # It could not start without the server, and said so.
        assert (name != "undisturbed", stop.code) == (True, 1), f"{name}: {stop}\n{logs}"
