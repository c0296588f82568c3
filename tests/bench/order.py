"""Compares reports of the same events in order and shuffled: CPU and memory of each.

python -m tests.bench.order --events 1000000 --people 200000
"""

import argparse
import json
import random
import tempfile
from pathlib import Path

from tests.bench.report_jobs import report

_BEGIN_MS, _SPAN_MS = 1_735_689_600_000, 60 * 86_400_000


def write_events(path: Path, events: int, people: int, seed: int = 7) -> None:
    """Write page views of two months in the order of their times."""
    choose = random.Random(seed)
    times = sorted(choose.randrange(_SPAN_MS) for _ in range(events))
    with path.open("w", encoding="ascii") as file:
        for since_ms in times:
            who = choose.randrange(people)
            event = {
                "type": "page_view", "event_id": f"{choose.getrandbits(128):032x}",
                "event_time": _BEGIN_MS + since_ms, "visitor_id": f"visitor-{who}",
                "page_url": f"https://shop.example/p/{who * 7919 % 500}",
                "context": {"country": ("de", "fr", "us", "gb")[who % 4]},
            }  # fmt: skip
            file.write(json.dumps(event) + "\n")


def shuffle(source: Path, target: Path) -> None:
    """Write the lines of a file in any order."""
    lines = source.read_bytes().splitlines(keepends=True)
    random.Random(1).shuffle(lines)
    target.write_bytes(b"".join(lines))


def main() -> None:
    """Print the cost of both reports and their ratio."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--people", type=int, default=200_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ordered, shuffled = Path(folder, "ordered.jsonl"), Path(folder, "shuffled.jsonl")
        write_events(ordered, given.events, given.people)
        shuffle(ordered, shuffled)
        first, second = (report(path, 1, {}) for path in (ordered, shuffled))
    for name, cost in (("in order", first), ("shuffled", second)):
        print(f"{name}: {cost.cpu_seconds:.1f} s CPU, {cost.peak_megabytes:.0f} MB")
    print(f"ratio: {second.cpu_seconds / first.cpu_seconds:.2f}")
    print("same numbers" if first.output == second.output else "NOT the same numbers")


if __name__ == "__main__":
    main()
