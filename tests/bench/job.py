"""Job of a contender, and the meter that reports its cost (standard library only).

A contender runs in its own process, perhaps in the peers' environment, where this project is not
installed.
"""

import json
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class Unavailable(Exception):
    """A contender cannot run here; the message gives the reason."""


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)  # all threads of this process
    return usage.ru_utime + usage.ru_stime


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024


@dataclass
class Meter:
    """CPU and wall time from the first fetch to the last event; the result goes to a file."""

    expected: int
    result: Path
    seen: int = 0
    _cpu: float = 0.0
    _wall: float = 0.0
    _idle: float = 0.0
    _started: bool = False

    def start(self) -> None:
        """Start the clock before the first fetch, or at the first event. Only the first call counts."""
        if not self._started:
            self._started = True
            self._cpu, self._wall = _cpu_seconds(), time.perf_counter()

    def leave_out(self, idle_seconds: float) -> None:
        """Take out of the wall time a wait without work. CPU time needs no such care."""
        self._idle += idle_seconds

    def add(self, count: int = 1) -> bool:
        """Count processed events; return whether all are done, after writing the result."""
        if not self._started:
            self.start()
        self.seen += count
        if self.seen < self.expected:
            return False
        self._report()
        return True

    def note(self, name: str, value: float) -> None:
        """Add one more figure of this run, taken after the clock has stopped."""
        self.result.write_text(json.dumps(json.loads(self.result.read_text()) | {name: value}))

    def check(self) -> None:
        """Raise Unavailable unless every event was counted: a wrong count has no cost."""
        if self.seen < self.expected:
            raise Unavailable(f"wrong: counted {self.seen:,} of {self.expected:,} events")

    def _report(self) -> None:
        cpu, wall = _cpu_seconds() - self._cpu, time.perf_counter() - self._wall - self._idle
        measured = {
            "events": self.seen,
            "cpu_seconds": cpu,
            "wall_seconds": wall,
            "peak_megabytes": _peak_megabytes(),
        }
        self.result.write_text(json.dumps(measured))


@dataclass(frozen=True)
class Job:
    """One run: read the topics from their beginning until `events` events are done."""

    bootstrap: str
    topics: Mapping[str, str]  # role of [topics] → topic with events
    events: int
    run_id: str  # for consumer groups and applications that must start afresh
    directory: Path  # scratch space of this run alone
    meter: Meter = field(compare=False)

    @property
    def topic(self) -> str:
        """The only topic, for contenders that read no other."""
        [topic] = self.topics.values()
        return topic
