"""Stage of a race: a broker on one core, the compiled worker, and another core for the contenders."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.contenders import Contender
from tests.bench.race import Input, Outcome, RaceSetup, Run, two_cores
from tests.compiled import NotCompiled, built
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerMissing

JVM = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC")  # lets the broker warm up, unlike in tests


@dataclass(frozen=True)
class Stage:
    """Surroundings of every run."""

    bootstrap: str
    core: int | None = None  # of the contenders; None if there is only one
    compiled: dict[str, str] = field(default_factory=dict)  # environment that imports the worker

    def setup(self, inputs: Mapping[bool, Input], peers: Path = Path()) -> RaceSetup:
        """Return the parameters of a race; `peers` is the virtual environment of the peers."""
        python = peers / "bin" / "python"
        return RaceSetup(self.bootstrap, inputs, python, self.core, self.compiled)


def add_compiled(parser: argparse.ArgumentParser) -> None:
    """Add the option that keeps a build of the worker for the next run."""
    parser.add_argument(
        "--compiled", type=Path, metavar="DIR", help="build the worker there, or use what is there"
    )


@contextmanager
def stage(kept: Path | None, *, interpreted: bool = False) -> Iterator[Stage]:
    """Start a broker and build the worker, in `kept` if it is given. Exits if that is not possible."""
    cores = two_cores()
    if cores and sys.platform == "linux":
        os.sched_setaffinity(0, {cores[0]})  # the broker inherits it; contenders use the other core
    try:
        server = KafkaServer(jvm=JVM)
    except ServerMissing as error:
        sys.exit(str(error))
    with server, tempfile.TemporaryDirectory(prefix="engage-bench-") as directory:
        core = cores[1] if cores else None
        if interpreted:
            yield Stage(server.bootstrap, core)
            return
        print("compiling the core, unless it is built", file=sys.stderr, flush=True)
        try:
            compiled = built(kept or Path(directory) / "build")
        except NotCompiled as error:
            sys.exit(f"the core cannot be compiled here: {error}")
        yield Stage(server.bootstrap, core, compiled)


def progress(number: int, contender: Contender, outcome: Outcome) -> None:
    """Print the result of one run."""
    result = f"{outcome.cpu_micros:.2f} µs/event" if isinstance(outcome, Run) else outcome
    print(f"round {number + 1}  {contender.label}: {result}", file=sys.stderr, flush=True)
