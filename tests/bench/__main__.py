"""`python -m tests.bench`: start a broker, fill a topic, race the contenders, print the table."""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from tests.bench.contenders import BASELINE, CONTENDERS, Contender
from tests.bench.race import ROOT, Outcome, RaceSetup, Run, page_views, race, two_cores
from tests.bench.report import document, findings, rows, table
from tests.bench.topic import fill
from tests.compiled import NotCompiled, built
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerMissing

JVM = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC")  # lets the broker warm up, unlike in tests


def arguments() -> argparse.Namespace:
    names = [one.module for one in CONTENDERS]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--events", type=int, default=400_000, help="for the fast contenders")
    parser.add_argument("--peer-events", type=int, default=40_000, help="for the slow ones")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=names, help="and the baseline")
    parser.add_argument("--quick", action="store_true", help="few events for the slow, two rounds")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers", help="their venv")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all measurements there")
    parser.add_argument(
        "--compiled", type=Path, metavar="DIR", help="build the worker there, or use what is there"
    )
    args = parser.parse_args()
    if args.quick:
        args.peer_events, args.rounds = min(args.peer_events, 5_000), 2
    return args


def progress(number: int, contender: Contender, outcome: Outcome) -> None:
    result = f"{outcome.cpu_micros:.2f} µs/event" if isinstance(outcome, Run) else outcome
    print(f"round {number + 1}  {contender.label}: {result}", file=sys.stderr, flush=True)


def main() -> None:
    args = arguments()
    cores = two_cores()
    if cores and sys.platform == "linux":
        os.sched_setaffinity(0, {cores[0]})  # the broker inherits it; contenders use the other core
    chosen = [one for one in CONTENDERS if not args.only or one.module in (*args.only, "raw")]
    inputs = {
        False: page_views("bench", args.events),
        True: page_views("bench-slow", args.peer_events),
    }
    try:
        server = KafkaServer(jvm=JVM)
    except ServerMissing as error:
        sys.exit(str(error))
    with server, tempfile.TemporaryDirectory(prefix="engage-bench-") as directory:
        print("compiling the core", file=sys.stderr, flush=True)
        try:
            compiled = built(args.compiled or Path(directory) / "build")
        except NotCompiled as error:
            sys.exit(f"the core cannot be compiled here: {error}")
        print(f"writing {args.events:,} page views", file=sys.stderr, flush=True)
        for given in inputs.values():
            fill(server.bootstrap, given.topics["page_views"], given.events)
        python = args.peers / "bin" / "python"
        setup = RaceSetup(server.bootstrap, inputs, python, cores[1] if cores else None, compiled)
        outcomes = race(setup, chosen, args.rounds, progress)
    result = rows(outcomes)
    print(table(result))
    for name, value in findings(outcomes).items():
        print(f"{name.replace('_', ' ')}: {value:.2f}")
    if args.json:
        args.json.write_text(json.dumps(document(result, outcomes), indent=2) + "\n")
    if any(isinstance(outcome, str) for outcome in outcomes[BASELINE.module]):
        sys.exit("the baseline failed: no ratio means anything")


if __name__ == "__main__":
    main()
