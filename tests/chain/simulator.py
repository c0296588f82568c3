"""`engage simulate` beside a fleet, for as long as a test needs its traffic."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.fleet import Fleet

STOP_SECONDS = 20.0


@contextmanager
def simulated(fleet: Fleet, name: str, *options: str) -> Iterator[None]:
    """Run the simulator during the block. A simulator that ends by itself fails the test."""
    log = fleet.directory / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "agents", "simulate", *options],
            env=fleet.environ,
            cwd=fleet.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield
        assert process.poll() is None, f"it has ended: {log.read_text('utf-8')[-2000:]}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
