"""Race: every contender in turn, each run in its own process, round after round."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.contenders import Contender

RUN_TIMEOUT = 900.0
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Input:
    """Topics to read, and the number of events in them."""

    topics: Mapping[str, str]  # role of [topics] → topic
    events: int


def page_views(topic: str, events: int) -> Input:
    """Return the input that is one topic of page views."""
    return Input({"page_views": topic}, events)


@dataclass(frozen=True)
class RaceSetup:
    """Parameters of every run."""

    bootstrap: str
    inputs: Mapping[bool, Input]  # for slow contenders or not
    peers_python: Path
    core: int | None
    compiled: dict[str, str]  # environment variables that import the compiled project


@dataclass(frozen=True)
class Run:
    """Report of one process."""

    events: int
    cpu_seconds: float
    wall_seconds: float
    peak_megabytes: float
    # Of the workers alone.
    redis_bytes_a_person: float | None = None
    applied: int | None = None  # events that were counted, not refused

    @property
    def cpu_micros(self) -> float:
        """CPU time an event, in microseconds."""
        return self.cpu_seconds / self.events * 1e6


Outcome = Run | str  # a run, or the reason for its absence


def two_cores() -> tuple[int, int] | None:
    """Return a core for the broker and another one for the contenders, if there are two."""
    if sys.platform != "linux":
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else None


def race(
    setup: RaceSetup,
    contenders: Sequence[Contender],
    rounds: int,
    report: Callable[[int, Contender, Outcome], None],
) -> dict[str, list[Outcome]]:
    """Return the outcomes by contender, one a round; an unavailable contender runs once."""
    outcomes: dict[str, list[Outcome]] = {one.module: [] for one in contenders}
    out: set[str] = set()
    for number in range(rounds):
        # Each round begins with another contender, so that the order of the runs changes.
        shift = number % len(contenders)
        for contender in (*contenders[shift:], *contenders[:shift]):
            if contender.module in out:
                continue
            outcome = run_once(setup, contender)
            outcomes[contender.module].append(outcome)
            if isinstance(outcome, str):
                out.add(contender.module)
            report(number, contender, outcome)
    return outcomes


def run_once(setup: RaceSetup, contender: Contender) -> Outcome:
    """Run one process from start to end, bounded in time."""
    python = setup.peers_python if contender.peer else Path(sys.executable)
    if not python.exists():
        return "not installed"
    given = setup.inputs[contender.slow]
    with tempfile.TemporaryDirectory(prefix="engage-bench-") as directory:
        command = [str(python), "-m", "tests.bench.contender", contender.module]
        command += ["--bootstrap", setup.bootstrap, "--events", str(given.events)]
        command += ["--directory", directory]
        command += ["--topics", *(f"{role}={topic}" for role, topic in given.topics.items())]
        command += [] if setup.core is None else ["--core", str(setup.core)]
        log = Path(directory) / "output.log"
        try:
            with log.open("wb") as output:
                subprocess.run(
                    command,
                    cwd=ROOT,
                    env=os.environ | (setup.compiled if contender.compiled else {}),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=RUN_TIMEOUT,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            return f"not finished after {RUN_TIMEOUT:.0f} s"
        return _read(Path(directory) / "result.json", log)


def _read(result: Path, log: Path) -> Outcome:
    if not result.exists():
        tail = log.read_text(errors="replace").strip().splitlines()[-1:]
        return f"failed: {' '.join(tail)[:200]}"
    measured = json.loads(result.read_text())
    return measured["unavailable"] if "unavailable" in measured else Run(**measured)
