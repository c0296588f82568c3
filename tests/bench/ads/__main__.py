"""`python -m tests.bench.ads`: ad views counted by campaign, by our worker and by peers, as ratios."""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from tests.bench.__main__ import JVM, progress
from tests.bench.ads.events import records
from tests.bench.contenders import ADS
from tests.bench.race import ROOT, RaceSetup, page_views, race, two_cores
from tests.bench.report import document, rows, table
from tests.bench.topic import fill_roles
from tests.compiled import NotCompiled, built
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerMissing


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ads", description=__doc__)
    parser.add_argument("--events", type=int, default=400_000, help="for the fast contenders")
    parser.add_argument("--peer-events", type=int, default=40_000, help="for the slow ones")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=[one.module for one in ADS])
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers", help="their venv")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all measurements there")
    parser.add_argument(
        "--compiled", type=Path, metavar="DIR", help="build the worker there, or use what is there"
    )
    return parser.parse_args()


def main() -> None:
    args = arguments()
    cores = two_cores()
    if cores and sys.platform == "linux":
        os.sched_setaffinity(0, {cores[0]})  # the broker inherits it; contenders use the other core
    chosen = [one for one in ADS if not args.only or one.module in (*args.only, "raw")]
    inputs = {
        False: page_views("ads", args.events),
        True: page_views("ads-slow", args.peer_events),
    }
    try:
        server = KafkaServer(jvm=JVM)
    except ServerMissing as error:
        sys.exit(str(error))
    with server, tempfile.TemporaryDirectory(prefix="engage-bench-") as directory:
        try:
            compiled = built(args.compiled or Path(directory) / "build")
        except NotCompiled as error:
            sys.exit(f"the core cannot be compiled here: {error}")
        for given in inputs.values():
            made = (("page_views", one) for one in records(given.events))
            fill_roles(server.bootstrap, given.topics, made)
        python = args.peers / "bin" / "python"
        setup = RaceSetup(server.bootstrap, inputs, python, cores[1] if cores else None, compiled)
        outcomes = race(setup, chosen, args.rounds, progress)
    result = rows(outcomes, ADS)
    print(table(result))
    if args.json:
        args.json.write_text(json.dumps(document(result, outcomes), indent=2) + "\n")


if __name__ == "__main__":
    main()
