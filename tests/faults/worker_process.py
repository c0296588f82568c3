"""One real worker as a child process: started, killed, frozen, queried, and always ended."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from tests.servers.process import free_port

#: Enough for three processes to start on a loaded machine with two cores.
PATIENCE = 90.0

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class TimedOut(AssertionError):
    """A condition was not met in time."""


def wait_until(what: str, holds: Callable[[], bool], timeout: float = PATIENCE) -> float:
    """Return the seconds until `holds()`; raise TimedOut with `what` after the timeout."""
    began = asked = time.monotonic()
    while not holds():
        now = time.monotonic()
        if now - began > timeout:
            raise TimedOut(f"not within {timeout:.0f} s: {what}")
        # Checking must not take the processor from the awaited work.
        time.sleep(min(max(2 * (now - asked), 0.05), 2.0))
        asked = time.monotonic()
    return time.monotonic() - began


def sampled(page: Samples, name: str, **labels: str) -> float:
    """Return one sample of a page, summed over the labels that are not named; 0 if missing."""
    wanted = set(labels.items())
    return sum(v for (found, has), v in page.items() if found == name and wanted <= has)


class WorkerProcess:
    """One worker that may be killed and started again; it keeps its port and its log file."""

    def __init__(
        self,
        name: str,
        directory: Path,
        environ: Mapping[str, str],
        module: str,
        *command: str,
    ) -> None:
        self.name = name
        self.port = free_port()
        self.log = directory / f"{name}.log"
        self._module = module
        self._command = command or ("worker",)
        self.environ = {**environ, "ENGAGE_WEB_PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running worker."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it, in its own process session so that Ctrl-C reaches the tests first."""
        assert not self.running
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module, *self._command],
                cwd=self.log.parent,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def kill9(self) -> int:
        """Kill it as a crash would, and prove that it died of that; return its process id."""
        pid = self.pid
        assert self.running, f"{self.name} had ended before it was killed:\n{self.log_tail()}"
        os.kill(pid, signal.SIGKILL)
        code = self.wait(30)
        assert code == -signal.SIGKILL, f"{self.name} ended with {code}"
        return pid

    def pause(self) -> None:
        """Freeze it: it neither runs nor notices the time."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it continue."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self, timeout: float = 45.0) -> int:
        """Stop it in order; return its exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout: float) -> int:
        """Return its exit code, once it has ended."""
        assert self._process is not None
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimedOut(
                f"{self.name} has not ended in {timeout} s:\n{self.log_tail()}"
            ) from None

    def end(self) -> None:
        """End it in any state."""
        if self._process is not None and self.running:
            self._process.kill()
            self._process.wait(30)

    def log_tail(self) -> str:
        """Return the end of its log, for the message of a failure."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def page(self) -> Samples | None:
        """Return its /metrics page as sample → value; None while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as page:
                text = page.read().decode()
        except OSError:
            return None
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def ready(self) -> tuple[int, dict[str, str]]:
        """Return the status of /readyz and the checks that fail; 0 while it does not answer."""
        address = f"http://127.0.0.1:{self.port}/readyz"
        try:
            with urllib.request.urlopen(address, timeout=5) as page:
                status, body = page.status, page.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        except OSError:
            return 0, {}
        checks = json.loads(body)["checks"]
        return status, {name: text for name, text in checks.items() if text != "ok"}

    def value(self, name: str, **labels: str) -> float:
        """Return one sample of its page, summed over the labels that are not named; 0 if missing."""
        return sampled(self.page() or {}, name, **labels)

    def partitions(self) -> set[tuple[str, int]]:
        """Return (topic, partition) of everything it reads now, from its own page."""
        name = "engagement_worker_lag_records"
        return {
            (labels["topic"], int(labels["partition"]))
            for (found, pairs) in (self.page() or {})
            if found == name and (labels := dict(pairs))
        }
