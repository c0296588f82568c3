"""`python -m tests.bench.latency`: the rate one core sustains, and from an event's send to the scrape that shows it.

Nothing is read from inside the worker. Marker events, each of a site that counts nothing else, are
sent among the others. The n-th marker is visible at the first scrape that counts n.
"""

import argparse
import time
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.queues import Queue
from typing import NamedTuple

from stream.settings.intake import INPUT_ROLES
from tests.bench.bench_fleet import Bench, bench, cpu_seconds
from tests.bench.catch_up import Rate, catch_up
from tests.bench.live_events import Visits
from tests.bench.observer import Watch, delays, percentile, scrape
from tests.bench.sender import Load, SentLoad, send
from tests.bench.stage import add_compiled
from tests.faults.fleet import Fleet
from tests.faults.worker_process import wait_until

SHARES = (0.1, 0.5, 0.8)
WARM_UP_SECONDS, VISIBLE_SECONDS = 5.0, 120.0
#: Between two events of a backlog.
SPACING_MS = 5
SPAWN = get_context("spawn")


class Options(NamedTuple):
    """Sizes of a run."""

    events: int
    seconds: float
    every_seconds: float
    shares: tuple[float, ...] = SHARES
    #: Events a second that count as sustained; 0: those of the catch-up run.
    rate: float = 0.0


class Seen(NamedTuple):
    """One rate: events a second as sent, delays of the markers in seconds, CPU of the worker, records left."""

    rate: float
    delays: list[float]
    cpu_share: float
    lag: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.latency", description=__doc__)
    parser.add_argument("--events", type=int, default=800_000, help="of each catch-up run")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each rate")
    parser.add_argument("--scrape-every", type=float, default=0.05, metavar="SECONDS")
    parser.add_argument("--only", choices=("views", "mixed"))
    parser.add_argument("--quick", action="store_true", help="400,000 events, 10 seconds")
    add_compiled(parser)
    given = parser.parse_args()
    options = Options(given.events, given.seconds, given.scrape_every)
    if given.quick:
        options = options._replace(events=min(given.events, 400_000), seconds=10.0)
    with bench(given.compiled) as servers:
        for kind in (given.only,) if given.only else ("views", "mixed"):
            for line in report(servers, kind, options):
                print(line, flush=True)


def report(servers: Bench, kind: str, options: Options) -> list[str]:
    """Measure one kind of traffic; return the lines to print."""
    with servers.fleet(kind) as fleet:
        found = sustained(servers, fleet, options.events, mixed=kind == "mixed")
        rate = options.rate or found.per_second
        micros = found.cpu_micros
        lines = [f"{kind}: {found.per_second:,.0f} events/s sustained on one core"]
        lines.append(f"  {micros:.2f} µs of CPU an event: {1e6 / micros:,.0f} events a CPU second")
        size, cpu = scrape_cost(fleet, options.every_seconds, min(options.seconds, WARM_UP_SECONDS))
        lines.append(
            f"  a scrape: {size / 1024:,.0f} KiB; one every {options.every_seconds * 1000:.0f} ms "
            f"takes {cpu * 100:.1f} % of the worker's core"
        )
        lines.append(f"  {'share':>6} {'events/s':>9} {'p50':>6} {'p95':>6} {'p99':>6} {'max':>6} "
                     f"{'markers':>8} {'CPU':>5} {'left':>6}")  # fmt: skip
        for number, share in enumerate(options.shares, 1):
            load = Load(rate * share, options.seconds, mixed=kind == "mixed", seed=100 + number)
            lines.append(f"  {share:>6.0%} {row(observe(fleet, load, options.every_seconds))}")
    return lines


def row(seen: Seen) -> str:
    """Return one rate as a row of the table; times in seconds."""
    p50, p95, p99 = (percentile(seen.delays, share) for share in (0.5, 0.95, 0.99))
    return (
        f"{seen.rate:>9,.0f} {p50:>6.2f} {p95:>6.2f} {p99:>6.2f} {max(seen.delays):>6.2f} "
        f"{len(seen.delays):>8} {seen.cpu_share:>5.0%} {seen.lag:>6}"
    )


def sustained(servers: Bench, fleet: Fleet, events: int, *, mixed: bool) -> Rate:
    """Let a worker count a backlog; measure from a tenth of it to its end."""
    visits = Visits(20_000, 2_000, mixed=mixed)
    end_ms = time.time_ns() // 1_000_000
    fleet.produce(visits.next(end_ms - (events - n) * SPACING_MS) for n in range(events))
    fleet.flush()
    servers.start(fleet.workers[0])
    return catch_up(fleet, events // 10, events)


def scrape_cost(fleet: Fleet, every_seconds: float, seconds: float) -> tuple[int, float]:
    """Return the bytes of a page, and the share of a core that scraping an idle worker adds."""
    [worker] = fleet.workers
    before, began = cpu_seconds(worker), time.monotonic()
    time.sleep(seconds)
    idle = (cpu_seconds(worker) - before) / (time.monotonic() - began)
    before, began, sizes = cpu_seconds(worker), time.monotonic(), []
    for _, size in scrape(worker.port, every_seconds):
        sizes.append(size)
        if time.monotonic() - began > seconds:
            break
    return sizes[-1], (cpu_seconds(worker) - before) / (time.monotonic() - began) - idle


def observe(fleet: Fleet, load: Load, every_seconds: float) -> Seen:
    """Send a load from one process while another one scrapes; return what was seen."""
    [worker] = fleet.workers
    # First some seconds that are not measured: the sites of the markers become known.
    warm = load._replace(seconds=min(load.seconds, WARM_UP_SECONDS), seed=load.seed + 1_000)
    before = wait_visible(worker.port, count_markers(worker.port), sent(fleet, warm))
    with Watch(worker.port, every_seconds) as watch:
        cpu, began = cpu_seconds(worker), time.monotonic()
        done = sent(fleet, load)
        cpu_share = (cpu_seconds(worker) - cpu) / (time.monotonic() - began)
        lag = int(worker.value("engagement_worker_lag_records"))
        wait_visible(worker.port, before, done)
    return Seen(
        done.events / done.seconds, delays(done.markers, before, watch.scrapes), cpu_share, lag
    )


def sent(fleet: Fleet, load: Load) -> SentLoad:
    """Return what another process has sent."""
    done: Queue[SentLoad] = SPAWN.Queue()
    topics = {role: fleet.topic(role) for role in INPUT_ROLES}
    bootstrap = fleet.settings.kafka.bootstrap_servers
    sender = SPAWN.Process(target=send, args=(bootstrap, topics, load, done), daemon=True)
    sender.start()
    result = done.get(timeout=load.seconds * 3 + 60)
    sender.join()
    return result


def count_markers(port: int) -> dict[int, int]:
    """Return the markers that a worker's page counts now, by partition."""
    return next(scrape(port, 0.0))[0].counts


def wait_visible(port: int, before: Mapping[int, int], done: SentLoad) -> dict[int, int]:
    """Wait until the page counts every marker sent; return the counts."""
    wanted = {p: before.get(p, 0) + len(times) for p, times in done.markers.items()}
    wait_until("all markers are visible", lambda: count_markers(port) == wanted, VISIBLE_SECONDS)
    return wanted


if __name__ == "__main__":
    main()
