"""`python -m tests.bench.hot_people`: cost of an event of a person with a long history, over one with none."""

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import orjson
from msgspec.structs import replace

from stream.engine import fold
from stream.settings.application import Settings
from stream.settings.definitions import Funnel, Selection
from stream.worker.process.garbage import COLLECTOR
from tests.bench.race import ROOT
from tests.bench.stage import add_compiled
from tests.compiled import built
from tests.properties.engine import EVERYONE, LogRecord, Worker

RATIO_MAX = 1.5
START_MS, MINUTE_MS = 1_740_787_200_000, 60_000
#: Events of a person between two checkpoints.
CHUNK = 20
TOPIC = "events"
SETTINGS = replace(
    Settings(),
    funnels={"buy": Funnel(steps=(Selection(type="page_view"), Selection(type="order")))},
)
#: Fields of each kind of event, by its number.
Fields = Callable[[int], dict[str, Any]]
KINDS: Mapping[str, Fields] = {
    "orders": lambda n: {"type": "order", "order_id": f"o{n}", "revenue": 1},
    "orders without session_id": lambda n: {
        "type": "order", "order_id": f"o{n}", "revenue": 1, "session_id": None,
    },
    "refunds": lambda n: {
        "type": "refund" if n % 2 else "order", "order_id": f"o{n // 2}", "revenue": 1,
    },
    "carts": lambda n: {"type": "add_to_cart", "cart_id": f"c{n}"},
    "answers": lambda n: {"type": "survey_response", "survey": "nps", "score": n % 11},
    "tickets": lambda n: {"type": "ticket_opened", "ticket_id": f"t{n}"},
    "goals": lambda n: {"type": "goal", "name": f"goal-{n % 20}"},
    "views in a funnel": lambda n: {"type": "page_view", "page_url": f"/{n % 50}"},
}  # fmt: skip


class Cost(NamedTuple):
    """Median CPU of an event, and the median of the ratios of pairs."""

    none_micros: float
    ratio: float
    ratio_low: float
    ratio_high: float


class Engine:
    """One shard in this process. It reads, closes sessions, and takes a checkpoint in memory."""

    def __init__(self) -> None:
        self._log: list[LogRecord] = []
        self._worker = Worker(0, {TOPIC: self._log}, SETTINGS, EVERYONE, 1 << 60)

    def read(self, events: Iterator[dict[str, Any]]) -> float:
        """Count events up to their checkpoint; return the CPU seconds that it took."""
        for event in events:
            offset, made = len(self._log), orjson.dumps(event | {"event_id": f"e{len(self._log)}"})
            self._log.append(LogRecord(offset, event["event_time"], made, 0))
        began = time.process_time()
        while self._worker.read(TOPIC, 512):
            pass
        self._worker.close()
        self._worker.checkpoint()
        return time.process_time() - began

    def check(self) -> None:
        """Raise unless every event was counted: a refused one has no cost."""
        assert self._worker.outcomes().get("applied") == len(self._log), self._worker.outcomes()


class Clock:
    """Event time of the next event: a minute later than the last one."""

    def __init__(self) -> None:
        self._minute = 0

    def next_ms(self) -> int:
        """Return the next minute."""
        self._minute += 1
        return START_MS + self._minute * MINUTE_MS

    def pause(self) -> None:
        """Let an hour pass: every session ends."""
        self._minute += 60


def visit(clock: Clock, fields: Fields, person: str, numbers: range) -> Iterator[dict[str, Any]]:
    """Yield a person's events, then one of a bystander an hour later: it ends the session."""
    first = numbers[0]
    for number in numbers:
        yield {
            "event_time": clock.next_ms(),
            "user_id": person,
            "session_id": f"{person}-{first}",
            **fields(number),
        }
    clock.pause()
    now_ms = clock.next_ms()
    yield {"type": "click", "event_time": now_ms, "user_id": f"bystander-{now_ms}"}


def known(clock: Clock, people: list[str]) -> Iterator[dict[str, Any]]:
    """Yield a click of each person: then all are known, and none has an event of the kind."""
    for person in people:
        yield {"type": "click", "event_time": clock.next_ms(), "user_id": person}


def measured(fields: Fields, before: int, rounds: int) -> Cost:
    """Compare a new person of each kind in each round: one with `before` events, one with none."""
    engine, clock = Engine(), Clock()
    hot, fresh = ([f"{kind}-{n}" for n in range(rounds)] for kind in ("hot", "fresh"))
    engine.read(known(clock, [*hot, *fresh]))
    # In turns, as people come: nobody's events are all in one session.
    for first in range(0, before, CHUNK):
        for person in hot:
            engine.read(visit(clock, fields, person, range(first, first + CHUNK)))
    gc.collect()
    pairs = []
    for number, people in enumerate(zip(hot, fresh, strict=True)):
        took = {}
        # The second of a pair may find a warmer cache.
        for person in people if number % 2 else reversed(people):
            numbers = range(before, before + CHUNK)
            took[person] = engine.read(visit(clock, fields, person, numbers)) / CHUNK
        pairs.append((took[people[0]], took[people[1]]))
    engine.check()
    ratios = [with_history / none for with_history, none in pairs]
    none_micros = median(none for _, none in pairs) * 1e6
    return Cost(none_micros, median(ratios), min(ratios), max(ratios))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hot_people", description=__doc__)
    parser.add_argument("--before", type=int, default=1_000, help="events of the long history")
    parser.add_argument("--rounds", type=int, default=25, help="pairs of people")
    add_compiled(parser)
    parser.add_argument(
        "--here", action="store_true", help="with the core that this Python imports"
    )
    return parser.parse_args()


def main() -> None:
    args = arguments()
    if not args.here:
        with tempfile.TemporaryDirectory(prefix="engage-bench-") as scratch:
            compiled = built(args.compiled or Path(scratch) / "build")
            command = [sys.executable, "-m", "tests.bench.hot_people", "--here", *sys.argv[1:]]
            sys.exit(subprocess.call(command, cwd=ROOT, env=os.environ | compiled))
    COLLECTOR.begin()
    core = "not compiled" if str(fold.__file__).endswith(".py") else "compiled"
    heading = f"{'core ' + core:28}{'µs, no history':>16}{f'{args.before:,} before, x':>18}"
    print(f"{heading}{'(min-max)':>14}{'at most':>9}")
    for name, fields in KINDS.items():
        cost = measured(fields, args.before, args.rounds)
        spread = f"{cost.ratio_low:.2f}-{cost.ratio_high:.2f}"
        figures = f"{cost.none_micros:>16.1f}{cost.ratio:>18.2f}{spread:>14}{RATIO_MAX:>9g}"
        print(f"{name:28}{figures}", flush=True)


if __name__ == "__main__":
    main()
