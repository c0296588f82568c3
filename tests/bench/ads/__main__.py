"""`python -m tests.bench.ads`: ad views counted by campaign, by our worker and by peers, as ratios."""

import argparse
import json
from pathlib import Path

from tests.bench.ads.events import records
from tests.bench.contenders import ADS
from tests.bench.race import ROOT, page_views, race
from tests.bench.report import document, rows, table
from tests.bench.stage import add_compiled, progress, stage
from tests.bench.topic import fill_roles


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ads", description=__doc__)
    parser.add_argument("--events", type=int, default=400_000, help="for the fast contenders")
    parser.add_argument("--peer-events", type=int, default=40_000, help="for the slow ones")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=[one.module for one in ADS])
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers", help="their venv")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all measurements there")
    add_compiled(parser)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    chosen = [one for one in ADS if not args.only or one.module in (*args.only, "raw")]
    inputs = {
        False: page_views("ads", args.events),
        True: page_views("ads-slow", args.peer_events),
    }
    with stage(args.compiled) as on:
        for given in inputs.values():
            made = (("page_views", one) for one in records(given.events))
            fill_roles(on.bootstrap, given.topics, made)
        outcomes = race(on.setup(inputs, args.peers), chosen, args.rounds, progress)
    result = rows(outcomes, ADS)
    print(table(result))
    if args.json:
        args.json.write_text(json.dumps(document(result, outcomes), indent=2) + "\n")


if __name__ == "__main__":
    main()
