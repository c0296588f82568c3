"""`python -m tests.bench`: start a broker, fill a topic, race the contenders, print the table."""

import argparse
import json
import sys
from pathlib import Path

from tests.bench.contenders import BASELINE, CONTENDERS
from tests.bench.race import ROOT, page_views, race
from tests.bench.report import document, findings, rows, table
from tests.bench.stage import add_compiled, progress, stage
from tests.bench.topic import fill


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
    add_compiled(parser)
    args = parser.parse_args()
    if args.quick:
        args.peer_events, args.rounds = min(args.peer_events, 5_000), 2
    return args


def main() -> None:
    args = arguments()
    chosen = [one for one in CONTENDERS if not args.only or one.module in (*args.only, "raw")]
    inputs = {
        False: page_views("bench", args.events),
        True: page_views("bench-slow", args.peer_events),
    }
    with stage(args.compiled) as on:
        print(f"writing {args.events:,} page views", file=sys.stderr, flush=True)
        for given in inputs.values():
            fill(on.bootstrap, given.topics["page_views"], given.events)
        outcomes = race(on.setup(inputs, args.peers), chosen, args.rounds, progress)
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
