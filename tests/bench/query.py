"""`python -m tests.bench.query`: time of /api/query on a year of counters, and what checkpoints pay for it."""

import argparse
import json
import statistics
import tempfile
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from agents.simulation.traffic import Traffic
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.worker_process import WorkerProcess, wait_until
from tests.servers.kafka_server import KafkaServer
from tests.servers.redis_server import RedisServer

DAYS, DAY_MS = 400, 86_400_000
#: Queries a second beside the traffic: a dashboard of four panels that reloads each second.
QUERIES_PER_SECOND = 4


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.query", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="events of the year")
    parser.add_argument("--countries", type=int, default=40)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument(
        "--seconds", type=int, default=30, help="of traffic, without and with queries"
    )
    parser.add_argument("--rate", type=int, default=1_000, help="events a second of that traffic")
    args = parser.parse_args()
    end_ms = time.time_ns() // 1_000_000
    traffic = Traffic(7, rate_per_second=args.rate)
    with (
        KafkaServer() as kafka,
        RedisServer() as redis,
        tempfile.TemporaryDirectory() as directory,
        Fleet(kafka.bootstrap, redis.url, Path(directory)) as fleet,
    ):
        fleet.create_topics().start()
        fleet.produce(year(traffic, end_ms, args.events, args.countries))
        fleet.wait_counted(600)
        # Not the publisher, which sends records of all windows meanwhile.
        other, asked = sorted(fleet.workers, key=lambda worker: 0 not in numbers_of(worker))
        address = f"http://127.0.0.1:{asked.port}/api/query?{wanted(end_ms)}"
        wait_until("the workers publish", lambda: answers(address))
        report(
            "first query of a worker",
            [timed(address.replace(f":{asked.port}/", f":{other.port}/"))],
        )
        idle, before, began = idle_cpu_ms(asked), cpu_ms(asked), time.monotonic()
        times = [timed(address) for _ in range(args.queries)]
        cpu = cpu_ms(asked) - before - idle * (time.monotonic() - began)
        report("90 days by country", times, cpu)
        for name, is_asked in (("without queries", False), ("with queries", True)):
            beside_traffic(fleet, traffic, address, args.seconds, name, is_asked=is_asked)


def year(traffic: Traffic, end_ms: int, events: int, countries: int) -> Iterator[Record]:
    """Yield events of DAYS days, of people from so many countries."""
    for sent in traffic.history(DAYS, end_ms, events_max=events):
        event = json.loads(sent.raw)
        number = zlib.crc32(event["visitor_id"].encode()) % countries
        event["context"]["country"] = f"C{number:02}"
        partition = zlib.crc32(sent.key) % PARTITIONS
        yield Record(sent.role, partition, sent.key, json.dumps(event).encode())


def numbers_of(worker: WorkerProcess) -> set[int]:
    """Return the partitions of a worker."""
    return {number for _, number in worker.partitions()}


def wanted(end_ms: int) -> str:
    """Return the query: 90 days by country for one site."""
    today = datetime.fromtimestamp(end_ms / 1000, UTC).date()
    return f"metric=bounce_rate&step=day&by=country&from={today - timedelta(89)}&to={today}"


def answers(address: str) -> bool:
    try:
        return timed(address) > 0
    except OSError:
        return False


def timed(address: str) -> float:
    """Return the milliseconds until an answer is read."""
    began = time.perf_counter()
    with urllib.request.urlopen(address, timeout=30) as answer:
        answer.read()
    return (time.perf_counter() - began) * 1000


def cpu_ms(asked: WorkerProcess) -> float:
    """Return the CPU that the asked worker has taken, in ms."""
    taken = psutil.Process(asked.pid).cpu_times()
    return float(taken.user + taken.system) * 1000


def idle_cpu_ms(asked: WorkerProcess, seconds: float = 5.0) -> float:
    """Return the CPU that it takes in a second without queries, in ms."""
    before = cpu_ms(asked)
    time.sleep(seconds)
    return (cpu_ms(asked) - before) / seconds


def report(name: str, times: list[float], cpu: float = 0) -> None:
    found = sorted(times)
    p99 = found[min(len(found) * 99 // 100, len(found) - 1)]
    median = statistics.median(found)
    spent = f"   CPU {cpu / len(found):5.1f} ms" if cpu else ""
    print(f"{name:34} median {median:7.1f} ms   p99 {p99:7.1f} ms{spent}   n {len(found)}")


def beside_traffic(
    fleet: Fleet, traffic: Traffic, address: str, seconds: int, name: str, *, is_asked: bool
) -> None:
    """Send traffic in real time; print what a checkpoint took, and what queries took beside it."""
    is_over = threading.Event()
    times: list[float] = []

    def ask() -> None:
        while not is_over.wait(1 / QUERIES_PER_SECOND):
            times.append(timed(address))

    asking = threading.Thread(target=ask)
    if is_asked:
        asking.start()
    before, lags = checkpoints(fleet), []
    until = time.monotonic() + seconds
    last_ms = time.time_ns() // 1_000_000
    while time.monotonic() < until:
        time.sleep(0.2)
        now_ms = time.time_ns() // 1_000_000
        sent = traffic.between(last_ms, now_ms)
        fleet.produce(Record(s.role, zlib.crc32(s.key) % PARTITIONS, s.key, s.raw) for s in sent)
        last_ms = now_ms
        lags.append(sum(w.value("engagement_worker_lag_records") for w in fleet.workers[:1]))
    count, took = (a - b for a, b in zip(checkpoints(fleet), before, strict=True))
    is_over.set()
    if is_asked:
        asking.join()
        report("queries beside the traffic", times)
    print(f"checkpoints {name:22} mean   {took / count * 1000:7.1f} ms   n {count:.0f}   "
          f"median lag {statistics.median(lags):.0f} records")  # fmt: skip


def checkpoints(fleet: Fleet) -> tuple[float, float]:
    """Return how many checkpoints the workers have stored, and the seconds that took."""
    names = ("engagement_worker_cuts_total", "engagement_worker_cut_duration_seconds_total")
    count, took = (sum(worker.value(name) for worker in fleet.workers) for name in names)
    return count, took


if __name__ == "__main__":
    main()
