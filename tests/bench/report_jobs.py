"""Compares reports of the same events in one process and in two: CPU, wall time and memory.

python -m tests.bench.report_jobs --events 1000000 --rounds 5
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.workloads.catalogue import WORKLOADS
from tests.bench.workloads.events import records
from tests.compiled import build

JOBS = (1, 2)


class Cost(NamedTuple):
    """Cost of one report with its jobs; memory is that of the largest process."""

    cpu_seconds: float
    wall_seconds: float
    peak_megabytes: float
    output: bytes


def write_events(path: Path, workload: str, events: int) -> None:
    """Write the events of a workload in the order of their times."""
    with path.open("wb") as file:
        for _, record in records(WORKLOADS[workload].shape, events):
            file.write(record.value + b"\n")


def report(path: Path, jobs: int, environ: dict[str, str]) -> Cost:
    """Run `engage report` on a file."""
    command = [sys.executable, "-m", "agents", "report", "--jobs", str(jobs), str(path)]
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        running = subprocess.Popen(
            command, stdout=output, stderr=subprocess.DEVNULL, env=os.environ | environ
        )
        _, status, usage = os.wait4(running.pid, 0)
        wall_seconds = time.monotonic() - began
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            raise SystemExit(f"engage report failed with {running.returncode}")
        output.seek(0)
        cpu_seconds = usage.ru_utime + usage.ru_stime
        return Cost(cpu_seconds, wall_seconds, usage.ru_maxrss / 1024, output.read())


def race(path: Path, rounds: int, environ: dict[str, str]) -> dict[int, list[Cost]]:
    """Run the reports in turns."""
    costs: dict[int, list[Cost]] = {jobs: [] for jobs in JOBS}
    for _ in range(rounds):
        for jobs in JOBS:
            costs[jobs].append(report(path, jobs, environ))
    return costs


def main() -> None:
    """Print the costs of each workload, and how much faster two jobs are."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environ = build(Path(folder, "build"))
        for workload in ("views", "visits"):
            path = Path(folder, f"{workload}.jsonl")
            write_events(path, workload, given.events)
            costs = race(path, given.rounds, environ)
            for jobs, found in costs.items():
                cpu, wall, peak = (
                    median(column) for column in zip(*(c[:3] for c in found), strict=True)
                )
                print(f"{workload}, {jobs} jobs: {cpu:.1f} s CPU, {wall:.1f} s wall, {peak:.0f} MB")
            ratios = [
                one.wall_seconds / two.wall_seconds
                for one, two in zip(*costs.values(), strict=True)
            ]
            print(f"{workload}: two jobs are {median(ratios):.2f} x as fast as one")
            is_same = len({cost.output for found in costs.values() for cost in found}) == 1
            print("same numbers" if is_same else "NOT the same numbers")


if __name__ == "__main__":
    main()
