"""`python -m tests.bench.conditions`: our worker's throughput in bad conditions, as shares of good ones."""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench.__main__ import JVM
from tests.bench.contenders import CONTENDERS
from tests.bench.race import RaceSetup, Run, page_views, run_once, two_cores
from tests.bench.topic import Shape, as_it_is, fill, poisoned, skewed
from tests.compiled import build
from tests.servers.kafka_server import KafkaServer

CONDITIONS: dict[str, Shape] = {"even": as_it_is, "skewed": skewed, "poisoned": poisoned}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.conditions", description=__doc__)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    cores = two_cores()
    if cores and sys.platform == "linux":
        os.sched_setaffinity(0, {cores[0]})
    worker = next(one for one in CONTENDERS if one.module == "worker")
    runs: dict[str, list[Run]] = {name: [] for name in CONDITIONS}
    with KafkaServer(jvm=JVM) as server, tempfile.TemporaryDirectory() as directory:
        compiled = build(Path(directory))
        for name, shape in CONDITIONS.items():
            fill(server.bootstrap, name, args.events, shape)
        for _ in range(args.rounds):
            for name in CONDITIONS:
                inputs = {False: page_views(name, args.events)}
                setup = RaceSetup(
                    server.bootstrap, inputs, Path(), cores[1] if cores else None, compiled
                )
                outcome = run_once(setup, worker)
                if isinstance(outcome, str):
                    sys.exit(f"{name}: {outcome}")
                runs[name].append(outcome)
    for name, found in runs.items():
        shares = [
            run.events / run.wall_seconds / (even.events / even.wall_seconds)
            for run, even in zip(found, runs["even"], strict=True)
        ]
        rate = statistics.median(run.events / run.wall_seconds for run in found)
        print(f"{name:10} {rate:10,.0f} events/s   {statistics.median(shares):.2f} x even")


if __name__ == "__main__":
    main()
