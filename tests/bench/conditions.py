"""`python -m tests.bench.conditions`: our worker's throughput in bad conditions, as shares of good ones."""

import argparse
import statistics
import sys

from tests.bench.contenders import CONTENDERS, EVERYTHING
from tests.bench.race import Run, page_views, run_once
from tests.bench.stage import add_compiled, stage
from tests.bench.topic import Shape, as_it_is, fill, poisoned, skewed

CONDITIONS: dict[str, Shape] = {"even": as_it_is, "skewed": skewed, "poisoned": poisoned}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.conditions", description=__doc__)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=3)
    add_compiled(parser)
    args = parser.parse_args()
    worker = next(one for one in CONTENDERS if one.module == EVERYTHING)
    runs: dict[str, list[Run]] = {name: [] for name in CONDITIONS}
    with stage(args.compiled) as on:
        for name, shape in CONDITIONS.items():
            fill(on.bootstrap, name, args.events, shape)
        for _ in range(args.rounds):
            for name in CONDITIONS:
                outcome = run_once(on.setup({False: page_views(name, args.events)}), worker)
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
