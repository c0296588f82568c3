"""`python -m tests.bench.hot_people`: cost of many events of one person, as a multiple of those of many people."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

Fields = Callable[[int], dict[str, Any]]
FUNNEL = """
[[funnels.buy.steps]]
type = "page_view"
[[funnels.buy.steps]]
type = "order"
"""
#: What each event is, by its number.
KINDS: dict[str, Fields] = {
    "orders": lambda n: {"type": "order", "order_id": f"o{n}", "revenue": 1},
    "orders without session_id": lambda n: {
        "type": "order", "order_id": f"o{n}", "revenue": 1, "has_no_session": True,
    },
    "refunds": lambda n: {"type": "refund" if n % 2 else "order", "order_id": f"o{n // 2}", "revenue": 1},
    "carts": lambda n: {"type": "add_to_cart", "cart_id": f"c{n}"},
    "answers": lambda n: {"type": "survey_response", "survey": "nps", "score": n % 11},
    "tickets": lambda n: {"type": "ticket_opened", "ticket_id": f"t{n}"},
    "goals": lambda n: {"type": "goal", "name": f"goal-{n % 20}"},
    "views in a funnel": lambda n: {"type": "page_view", "page_url": f"/{n % 50}"},
}  # fmt: skip


def lines(fields: Fields, number: int, people: int) -> Iterator[str]:
    """Yield events a minute apart, dealt to people."""
    for n in range(number):
        event = fields(n) | {"event_id": f"e{n}", "event_time": 1_740_787_200_000 + n * 60_000}
        if not event.pop("has_no_session", False):
            event["session_id"] = f"{n % people}-{n // 60}"
        yield json.dumps(event | {"user_id": f"person-{n % people}"}) + "\n"


def cpu_seconds(file: Path, config: Path) -> float:
    """Return the CPU time of a report over a file."""
    before = os.times()
    command = [
        sys.executable,
        "-m",
        "agents",
        "--config",
        str(config),
        "report",
        "--metric",
        "orders",
    ]
    subprocess.run(
        [*command, str(file)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )


def measured(folder: Path, fields: Fields, number: int, rounds: int) -> tuple[float, float]:
    """Return the CPU time of many people's events beyond that of one event, and the ratio of one person's."""
    config = folder / "engage.toml"
    config.write_text(FUNNEL)
    files = {}
    for name, events, people in (("none", 1, 1), ("many", number, number), ("one", number, 1)):
        files[name] = folder / f"{name}.jsonl"
        files[name].write_text("".join(lines(fields, events, people)))
    took: list[tuple[float, float]] = []
    for _ in range(rounds):
        none, many, one = (cpu_seconds(files[name], config) for name in ("none", "many", "one"))
        took.append((many - none, (one - none) / max(many - none, 1e-3)))
    return median(many for many, _ in took), median(ratio for _, ratio in took)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hot_people", description=__doc__)
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(f"{'':28}{'ms an event, many people':>28}{'one person, x many':>22}")
    for name, fields in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            many, ratio = measured(Path(folder), fields, given.events, given.rounds)
        print(f"{name:28}{1000 * many / given.events:>28.3f}{ratio:>22.2f}", flush=True)


if __name__ == "__main__":
    main()
