"""`python -m tests.bench.workloads`: each workload read by raw aiokafka and by our worker, as ratios."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.__main__ import JVM, progress
from tests.bench.contenders import BASELINE, CONTENDERS, EVERYTHING, INTERPRETED, Contender
from tests.bench.race import Input, RaceSetup, race, two_cores
from tests.bench.topic import delete, fill_roles
from tests.bench.workloads.catalogue import WORKLOADS, Workload
from tests.bench.workloads.events import records
from tests.bench.workloads.table import Result, document, table
from tests.compiled import NotCompiled, built
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerMissing


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.workloads", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(WORKLOADS), default=list(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, help="of each workload, instead of its own number")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all measurements there")
    parser.add_argument(
        "--compiled", type=Path, metavar="DIR", help="build the worker there, or use what is there"
    )
    parser.add_argument("--interpreted", action="store_true", help="the worker from its sources")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    args = arguments(given)
    ours = next(
        one for one in CONTENDERS if one.module == (INTERPRETED if args.interpreted else EVERYTHING)
    )
    cores = two_cores()
    if cores and sys.platform == "linux":
        os.sched_setaffinity(0, {cores[0]})  # the broker inherits it; contenders use the other core
    results = []
    try:
        server = KafkaServer(jvm=JVM)
    except ServerMissing as error:
        sys.exit(str(error))
    with server, tempfile.TemporaryDirectory(prefix="engage-bench-") as directory:
        compiled = environment(args, Path(directory) / "build")
        for name in args.only:
            core = cores[1] if cores else None
            result = measured(
                server.bootstrap, WORKLOADS[name], ours, compiled, core, args.rounds, args.events
            )
            results.append(result)
            print(table([result]), file=sys.stderr, flush=True)
    print(table(results))
    if args.json:
        args.json.write_text(json.dumps(document(results), indent=2) + "\n")
    if any(one.raw.missing or one.ours.missing for one in results):
        sys.exit("a contender failed: its workload has no ratio")


def environment(args: argparse.Namespace, scratch: Path) -> dict[str, str]:
    """Return the environment that imports the worker to measure."""
    if args.interpreted:
        return {}
    print("compiling the core, unless it is built", file=sys.stderr, flush=True)
    try:
        return built(args.compiled or scratch)
    except NotCompiled as error:
        sys.exit(f"the core cannot be compiled here: {error}")


def measured(
    bootstrap: str,
    workload: Workload,
    ours: Contender,
    compiled: dict[str, str],
    core: int | None,
    rounds: int,
    events: int | None,
) -> Result:
    """Write the events of a workload, let both contenders read them in turn, and delete them."""
    given = Input(
        {role: f"{workload.name}-{role}".replace("_", "-") for role in workload.roles},
        events or workload.events,
    )
    print(f"{workload.name}: writing {given.events:,} events", file=sys.stderr, flush=True)
    fill_roles(bootstrap, given.topics, records(workload.shape, given.events))
    setup = RaceSetup(bootstrap, {False: given}, Path(), core, compiled)
    outcomes = race(setup, [BASELINE, ours], rounds, progress)
    delete(bootstrap, given.topics.values())
    return Result(workload, given.events, outcomes)


if __name__ == "__main__":
    main()
