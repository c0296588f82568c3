"""`python -m tests.bench.workloads`: each workload read by raw aiokafka and by our worker, as ratios."""

import argparse
import json
import sys
from pathlib import Path

from tests.bench.contenders import BASELINE, CONTENDERS, EVERYTHING, INTERPRETED, Contender
from tests.bench.race import Input, race
from tests.bench.stage import Stage, add_compiled, progress, stage
from tests.bench.topic import delete, fill_roles
from tests.bench.workloads.catalogue import WORKLOADS, Workload
from tests.bench.workloads.events import records
from tests.bench.workloads.table import Result, document, table


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.workloads", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(WORKLOADS), default=list(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, help="of each workload, instead of its own number")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all measurements there")
    parser.add_argument("--interpreted", action="store_true", help="the worker from its sources")
    add_compiled(parser)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    wanted = INTERPRETED if args.interpreted else EVERYTHING
    ours = next(one for one in CONTENDERS if one.module == wanted)
    results = []
    with stage(args.compiled, interpreted=args.interpreted) as on:
        for workload in map(WORKLOADS.__getitem__, args.only):
            events = args.events or workload.events
            results.append(measured(on, workload, ours, args.rounds, events))
            print(table(results[-1:]), file=sys.stderr, flush=True)
    print(table(results))
    if args.json:
        args.json.write_text(json.dumps(document(results), indent=2) + "\n")
    if any(one.raw.missing or one.ours.missing for one in results):
        sys.exit("a contender failed: its workload has no ratio")


def measured(on: Stage, workload: Workload, ours: Contender, rounds: int, events: int) -> Result:
    """Write the events of a workload, let both contenders read them in turn, and delete them."""
    topics = {role: f"{workload.name}-{role}".replace("_", "-") for role in workload.roles}
    print(f"{workload.name}: writing {events:,} events", file=sys.stderr, flush=True)
    fill_roles(on.bootstrap, topics, records(workload.shape, events))
    setup = on.setup({False: Input(topics, events)})
    outcomes = race(setup, [BASELINE, ours], rounds, progress)
    delete(on.bootstrap, topics.values())
    return Result(workload, events, outcomes)


if __name__ == "__main__":
    main()
