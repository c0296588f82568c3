"""Taking over: a worker is killed as a crash would, and another one goes on with its shards."""

import re
import time
from typing import NamedTuple

from tests.bench.bench_fleet import Bench
from tests.bench.live_events import page_view
from tests.faults.fleet import Fleet, Record
from tests.faults.worker_process import WorkerProcess, wait_until

_LOADED = re.compile(r"shard (\d+): loaded in ([\d.]+) s; (\d+) records are read again")
_PATIENCE = 300.0


class Loaded(NamedTuple):
    """Loading of one shard, by the log of its worker: seconds, and records read again for their ids."""

    partition: int
    seconds: float
    again: int


class Takeover(NamedTuple):
    """Seconds from `kill -9` to a checkpoint that counts an event of each lost shard, and the loadings."""

    seconds: float
    loaded: list[Loaded]


def loadings(log: str) -> list[Loaded]:
    """Return the loadings that a worker's log tells of, in order."""
    return [Loaded(int(p), float(s), int(again)) for p, s, again in _LOADED.findall(log)]


def loaded_by(worker: WorkerProcess) -> list[Loaded]:
    """Return the loadings of a worker so far."""
    return loadings(worker.log.read_text(errors="replace"))


def take_over(servers: Bench, fleet: Fleet) -> Takeover:
    """Start the second worker of a fleet, kill it, and let the first one take its shards back."""
    first, second = fleet.workers
    servers.start(second, 1)
    fleet.wait_assigned(_PATIENCE)
    lost = {partition for _, partition in second.partitions()}
    before = len(loaded_by(first))
    second.kill9()
    began = time.monotonic()
    fleet.produce(_views(lost))
    fleet.flush()
    wait_until("an event of each lost shard is counted", lambda: fleet.lag() == 0, _PATIENCE)
    took = time.monotonic() - began
    found = loaded_by(first)[before:]
    if {one.partition for one in found} != lost:
        raise LookupError(f"shards {sorted(lost)} were lost, and these were loaded: {found}")
    return Takeover(took, found)


def _views(partitions: set[int]) -> list[Record]:
    """Return a page view of now for each of the partitions."""
    now_ms = time.time_ns() // 1_000_000
    return [page_view(f"after-{p}-{now_ms}", p, now_ms)._replace(partition=p) for p in partitions]
