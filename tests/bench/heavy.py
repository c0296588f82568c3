"""`python -m tests.bench.heavy`: heavy inputs of valid events through one worker, and what they cost it."""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import redis

from stream.settings.intake import INPUT_ROLES
from tests.bench.contenders import BASELINE
from tests.bench.race import Input, RaceSetup, run_once
from tests.compiled import NotCompiled, built
from tests.faults.fleet import Fleet
from tests.faults.heavy import HEAVY, Traffic
from tests.faults.hostile import Seen, Watch
from tests.faults.worker_process import wait_until
from tests.servers.kafka_server import KafkaServer
from tests.servers.redis_server import RedisServer

RECORDS = "engagement_records_total"
HEAVIEST = "engagement_worker_heaviest_person_ratio"
COLUMNS = (
    "{name:30}{sent:>11}{counted:>11}{cpu:>9}{ratio:>8}{memory:>9}{redis:>9}{answer:>11}{scrape:>10}"
    "{series:>9}{heaviest:>10}"
)
HEAD = {
    "name": "", "sent": "events", "counted": "counted", "cpu": "µs each", "ratio": "x raw",
    "memory": "peak MB", "redis": "redis MB", "answer": "healthz s", "scrape": "scrape s",
    "series": "series", "heaviest": "heaviest",
}  # fmt: skip


class Counted(NamedTuple):
    """State of a worker and its Redis after an input."""

    applied: float
    cpu_seconds: float
    seen: Seen
    redis_bytes: int
    heaviest: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.heavy", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(HEAVY), default=list(HEAVY))
    parser.add_argument("--events", type=int, default=100_000, help="of each input")
    parser.add_argument("--timeout", type=float, default=3_600)
    parser.add_argument(
        "--compiled", type=Path, metavar="DIR", help="build there, or use what is there"
    )
    parser.add_argument("--interpreted", action="store_true", help="the worker from its sources")
    given = parser.parse_args()
    with KafkaServer() as kafka, tempfile.TemporaryDirectory() as folder:
        environ: dict[str, str] = {}
        if not given.interpreted:
            try:
                environ = built(given.compiled or Path(folder) / "build")
            except NotCompiled as error:
                sys.exit(f"the core cannot be compiled here: {error}")
        print(COLUMNS.format(**HEAD), flush=True)
        for number, name in enumerate(given.only):
            scratch = Path(folder) / str(number)
            print(measured(kafka.bootstrap, scratch, name, given, environ), flush=True)


def measured(
    bootstrap: str, folder: Path, name: str, given: argparse.Namespace, environ: dict[str, str]
) -> str:
    """Return the row of one input."""
    traffic: Traffic = HEAVY[name]
    with RedisServer() as server:
        settings = traffic.settings
        with Fleet(bootstrap, server.url, folder, workers=1, settings=settings) as fleet:
            fleet.workers[0].environ |= environ
            found = count(fleet, traffic, given.events, given.timeout, server.url)
            sent = {topic for topic, _ in fleet.sent}
            topics = {role: t for role in INPUT_ROLES if (t := fleet.topic(role)) in sent}
    setup = RaceSetup(bootstrap, {False: Input(topics, given.events)}, Path(), None, {})
    raw = run_once(setup, BASELINE)
    micros = found.cpu_seconds / given.events * 1e6
    return COLUMNS.format(
        name=name,
        sent=f"{given.events:,}",
        counted=f"{found.applied:,.0f}",
        cpu=f"{micros:.1f}",
        ratio="-" if isinstance(raw, str) else f"{micros / raw.cpu_micros:.1f}",
        memory=f"{found.seen.memory >> 20:,}",
        redis=f"{found.redis_bytes >> 20:,}",
        answer=f"{max(found.seen.answers):.2f}",
        scrape=f"{max(found.seen.scrapes):.2f}",
        series=f"{found.seen.samples:,}",
        heaviest=f"{found.heaviest:.0%}",
    )


def count(fleet: Fleet, traffic: Traffic, events: int, timeout: float, redis_url: str) -> Counted:
    """Send an input, and let the fleet's worker count it from a backlog until all sessions are closed.

    The worker has started before, and stands still meanwhile: its start is no part of the cost. That it
    joins its group again is part of it.
    """
    fleet.create_topics().start()
    [worker] = fleet.workers
    worker.pause()
    start_seconds = cpu_seconds(worker.pid)
    fleet.produce(traffic.records(events))
    fleet.flush()
    worker.resume()
    heaviest = 0.0
    with Watch(worker) as watch:

        def is_counted() -> bool:
            nonlocal heaviest
            ratios = (v for (name, _), v in (worker.page() or {}).items() if name == HEAVIEST)
            heaviest = max(heaviest, *ratios, 0.0)
            return fleet.lag() == 0

        wait_until("all that was sent is counted", is_counted, timeout)
        fleet.wait_counted(timeout)
        used = cpu_seconds(worker.pid) - start_seconds
        wait_until("it is shown", lambda: worker.value(RECORDS) >= events, timeout)
        seen = watch.seen()
    applied = worker.value(RECORDS, outcome="applied")
    with redis.Redis.from_url(redis_url) as client:
        memory = int(client.info("memory")["used_memory"])
    return Counted(applied, used, seen, memory, heaviest)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
