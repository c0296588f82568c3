"""Run one contender in this process: `python -m tests.bench.contender NAME …`, for tests.bench."""

import argparse
import importlib
import json
import os
import sys
import uuid
from pathlib import Path

from tests.bench.job import Job, Meter, Unavailable


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topics", nargs="+", required=True, metavar="ROLE=TOPIC")
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--core", type=int)
    args = parser.parse_args()
    # Before any library starts a thread: threads inherit the affinity.
    if args.core is not None and sys.platform == "linux":
        os.sched_setaffinity(0, {args.core})
    result = args.directory / "result.json"
    job = Job(
        bootstrap=args.bootstrap,
        topics=dict(one.split("=", 1) for one in args.topics),
        events=args.events,
        run_id=f"bench-{args.module}-{uuid.uuid4().hex[:8]}".replace("_", "-"),
        directory=args.directory,
        meter=Meter(expected=args.events, result=result),
    )
    try:
        importlib.import_module(f"tests.bench.contenders.{args.module}").run(job)
        job.meter.check()
    except ModuleNotFoundError as error:
        result.write_text(json.dumps({"unavailable": f"not installed: {error.name}"}))
    except Unavailable as error:
        result.write_text(json.dumps({"unavailable": str(error)}))


if __name__ == "__main__":
    main()
