"""Catching up: workers count a backlog, seen by the checkpoints that they store."""

import time
from collections.abc import Callable
from typing import NamedTuple

from tests.bench.bench_fleet import cpu_seconds
from tests.faults.fleet import Fleet

#: Checkpoints without which a rate is not exact.
_MARKS_MIN = 4


class Mark(NamedTuple):
    """A checkpoint: when it was seen, the CPU of all workers until then in seconds, and the records counted."""

    at: float
    cpu: float
    counted: int


class Rate(NamedTuple):
    """Records a second by the clock, and CPU µs a record of all workers."""

    per_second: float
    cpu_micros: float


def counted(fleet: Fleet) -> int:
    """Return the records that the stored checkpoints hold."""
    return sum(fleet.position().values())


def marks_until(
    look: Callable[[], int], cpu: Callable[[], float], last: int, timeout: float = 600.0
) -> list[Mark]:
    """Return a mark for each change of the count, until it reaches `last`."""
    marks, began = [Mark(time.monotonic(), cpu(), look())], time.monotonic()
    while marks[-1].counted < last:
        if time.monotonic() - began > timeout:
            raise TimeoutError(f"{marks[-1].counted:,} of {last:,} records counted in {timeout} s")
        now = look()
        if now > marks[-1].counted:
            marks.append(Mark(time.monotonic(), cpu(), now))
        time.sleep(0.02)
    return marks


def catch_up(fleet: Fleet, first: int, last: int, timeout: float = 600.0) -> Rate:
    """Wait until running workers have counted `last` records in all; measure from the mark at `first` on."""

    def cpu() -> float:
        running = [worker for worker in fleet.workers if worker.running]
        return sum(map(cpu_seconds, running))

    def look() -> int:
        if not any(worker.running for worker in fleet.workers):
            raise RuntimeError(f"no worker runs:\n{fleet.workers[0].log_tail()}")
        return counted(fleet)

    return between(marks_until(look, cpu, last, timeout), first)


def between(marks: list[Mark], first: int) -> Rate:
    """Return the rate from the first mark with `first` records to the last one.

    Marks are checkpoints, so none is in the middle of its work. Raises LookupError with too few.
    """
    kept = [mark for mark in marks if mark.counted >= first]
    if len(kept) < _MARKS_MIN:
        raise LookupError(f"the backlog was counted in {len(kept)} checkpoints: send more events")
    begin, end = kept[0], kept[-1]
    passed = end.counted - begin.counted
    return Rate(passed / (end.at - begin.at), (end.cpu - begin.cpu) / passed * 1e6)
