"""`python -m tests.bench.scaling`: cost of an event, and taking over a shard, by workers, people and days of state.

Each size has a fleet of its own on a real Kafka and Redis, with four partitions. Most people and
days are prepared, see `prepared`; all events that are measured go through Kafka.
"""

import argparse
import asyncio
import time
from pathlib import Path
from typing import NamedTuple

import redis

from stream.store.keys import ShardKeys
from tests.bench.bench_fleet import Bench, bench, resident_mb
from tests.bench.catch_up import catch_up, counted
from tests.bench.chart import Panel, drawn
from tests.bench.live_events import Visits
from tests.bench.prepared import Wanted, prepare
from tests.bench.stage import add_compiled
from tests.bench.takeover import take_over
from tests.faults.fleet import Fleet

SPACING_MS = 1
AT_ONCE = 2_000


class Sizes(NamedTuple):
    """Sizes of a run: each axis varies alone."""

    workers: tuple[int, ...] = (1, 2, 4)
    people: tuple[int, ...] = (10_000, 100_000, 1_000_000, 5_000_000)
    days: tuple[int, ...] = (1, 30, 100, 400)
    #: Events of each measurement.
    events: int = 400_000
    #: People while days vary, and days while people vary.
    people_else: int = 100_000
    days_else: int = 30


QUICK = Sizes((1, 2), (10_000, 100_000), (1, 30), events=200_000)


class Point(NamedTuple):
    """One measurement. Taking over is None where it was not measured."""

    name: str
    value: int
    cpu_micros: float
    per_second: float
    resident_mb: float
    redis_mb: float
    #: People and seconds to load, of the slowest of the shards that were taken over.
    shard_people: int = 0
    loading: float | None = None
    again: int = 0
    #: From `kill -9` to the first events counted.
    takeover: float | None = None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scaling", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two sizes of each axis")
    parser.add_argument("--events", type=int, help="events of each measurement")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write an SVG picture there")
    add_compiled(parser)
    given = parser.parse_args()
    sizes = QUICK if given.quick else Sizes()
    if given.events:
        sizes = sizes._replace(events=given.events)
    with bench(given.compiled) as servers:
        print(conditions(servers), flush=True)
        points = list(measured(servers, sizes))
    if given.plot:
        given.plot.write_text(drawn(panels(points)), encoding="utf-8")


def conditions(servers: Bench) -> str:
    """Return a line on the cores, and the head of the table."""
    cores = len(servers.cores)
    note = (
        f"{cores} core{'s' * (cores != 1)} for workers, one for Kafka, Redis and the sender: "
        f"{'CPU an event is comparable, events/s of several workers are not' if cores < 4 else 'a worker each'}"
    )
    head = (
        f"{'':8} {'':>9} {'µs CPU/event':>12} {'events/s':>9} {'RSS MB':>7} {'Redis MB':>8} "
        f"{'people of a shard':>17} {'loading s':>9} {'ids again':>9} {'from kill -9 s':>14}"
    )
    return f"{note}\n{head}"


def measured(servers: Bench, sizes: Sizes) -> list[Point]:
    """Return all points, each printed when it is known."""
    points = []
    for workers in sizes.workers:
        points.append(shown(by_workers(servers, workers, sizes.events)))
    for people in sizes.people:
        wanted = Wanted(people, sizes.days_else)
        points.append(shown(by_state(servers, "people", people, wanted, sizes.events)))
    for days in sizes.days:
        wanted = Wanted(sizes.people_else, days, events=max(20_000, 150 * days))
        points.append(shown(by_state(servers, "days", days, wanted, sizes.events)))
    return points


def shown(point: Point) -> Point:
    """Print a point as a row of the table."""
    line = (
        f"{point.name:8} {point.value:>9,} {point.cpu_micros:>12.2f} {point.per_second:>9,.0f} "
        f"{point.resident_mb:>7,.0f} {point.redis_mb:>8,.0f}"
    )
    if point.loading is not None and point.takeover is not None:
        line += (
            f" {point.shard_people:>17,} {point.loading:>9.2f} {point.again:>9,} "
            f"{point.takeover:>14.1f}"
        )
    print(line, flush=True)
    return point


def by_workers(servers: Bench, workers: int, events: int) -> Point:
    """Measure a fleet of this many workers: all are at rest until the whole backlog is there."""
    patient = {"KAFKA_SESSION_TIMEOUT_SECONDS": "80"}
    with servers.fleet(f"workers-{workers}", workers, **patient) as fleet:
        for number, worker in enumerate(fleet.workers):
            servers.start(worker, number)
        fleet.wait_assigned()
        for worker in fleet.workers:
            worker.pause()
        send_backlog(fleet, 20_000, events)
        for worker in fleet.workers:
            worker.resume()
        rate = catch_up(fleet, events // 10, events)
        memory = max(resident_mb(worker) for worker in fleet.workers)
        return Point("workers", workers, rate.cpu_micros, rate.per_second, memory, redis_mb(fleet))


def by_state(servers: Bench, name: str, value: int, wanted: Wanted, events: int) -> Point:
    """Measure one worker on a prepared state, then how it takes over half of the shards."""
    with servers.fleet(f"{name}-{value}", 2) as fleet:
        began_mb = redis_mb(fleet)
        now_ms = time.time_ns() // 1_000_000
        asyncio.run(prepare(fleet, wanted, now_ms - events * SPACING_MS))
        before = counted(fleet)
        send_backlog(fleet, wanted.people, events)
        first = fleet.workers[0]
        servers.start(first)
        rate = catch_up(fleet, before + events // 10, before + events)
        memory, stored = resident_mb(first), redis_mb(fleet) - began_mb
        taken = take_over(servers, fleet)
        slowest = max(taken.loaded, key=lambda one: one.seconds)
        point = Point(
            name, value, rate.cpu_micros, rate.per_second, memory, stored,
            people_of(fleet, slowest.partition), slowest.seconds, slowest.again, taken.seconds,
        )  # fmt: skip
        forget(fleet)
        return point


def send_backlog(fleet: Fleet, people: int, events: int) -> None:
    """Send visits of people, up to now."""
    visits, end_ms = Visits(people, AT_ONCE), time.time_ns() // 1_000_000
    fleet.produce(visits.next(end_ms - (events - n) * SPACING_MS) for n in range(events))
    fleet.flush()


def redis_mb(fleet: Fleet) -> float:
    """Return the memory that Redis uses."""
    with redis.Redis.from_url(fleet.settings.redis.url) as client:
        return float(client.info("memory")["used_memory"]) / 2**20


def people_of(fleet: Fleet, partition: int) -> int:
    """Return the people of a shard."""
    with redis.Redis.from_url(fleet.settings.redis.url) as client:
        return int(client.hlen(ShardKeys(fleet.settings.app, partition).people))


def forget(fleet: Fleet) -> None:
    """Empty Redis, so that the next fleet begins with the same memory."""
    for worker in fleet.workers:
        worker.end()
    with redis.Redis.from_url(fleet.settings.redis.url) as client:
        client.flushall()


def panels(points: list[Point]) -> list[Panel]:
    """Return the parts of the picture."""
    found = []
    for name in ("workers", "people", "days"):
        costs = [(f"{one.value:,}", one.cpu_micros) for one in points if one.name == name]
        found.append(Panel(f"CPU an event, by {name}", "µs", costs))
    for name in ("people", "days"):
        times = [
            (f"{one.value:,}", one.loading)
            for one in points
            if one.name == name and one.loading is not None
        ]
        found.append(Panel(f"loading a shard, by {name}", "s", times))
    return found


if __name__ == "__main__":
    main()
