"""`engage demo` as a person starts it, and a Prometheus with the shipped rules that scrapes it."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agents.monitoring.rules.files import prometheus_files, write_files
from agents.monitoring.rules.surroundings import Surroundings
from stream.settings.application import Settings
from tests.grafana.prometheus import StoredPrometheus
from tests.pictures import ROOT
from tests.servers.process import ServerFailed, free_port

READY_SECONDS = 90.0
STOP_SECONDS = 30.0
#: Events a second.
RATE = 50


class Present(NamedTuple):
    """Running demo: the address of its live page, and its Prometheus."""

    page: str
    prometheus: StoredPrometheus


@contextmanager
def demo() -> Iterator[Present]:
    """Run both until the end of the block. Raises ServerFailed."""
    port, server = free_port(), StoredPrometheus()
    place = Surroundings(targets=(f"127.0.0.1:{port}",))
    write_files(server.directory, prometheus_files(Settings(), place))
    with server:
        page, log = f"http://127.0.0.1:{port}", server.directory / "demo.log"
        process = _start(port, server, log)
        try:
            _wait(process, f"{page}/readyz", log)
            yield Present(page, server)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def _start(port: int, server: StoredPrometheus, log: Path) -> "subprocess.Popen[bytes]":
    others = {key: value for key, value in os.environ.items() if not key.startswith("ENGAGE_")}
    own = {"ENGAGE_WEB_PORT": str(port), "ENGAGE_WEB_PROMETHEUS_URL": server.url}
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "agents", "demo", "--rate", str(RATE)],
            env=others | own | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"the demo did not start:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.5)
