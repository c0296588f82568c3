"""Server as a child process: start, wait until it answers, stop, kill, start on the same port."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

READY_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0
# Below the range that Linux and macOS use for outgoing connections. While a server is down, a
# reconnecting client could otherwise get and occupy the server's own port.
PORTS = range(20_000, 32_000)


class ServerMissing(RuntimeError):
    """A requirement of a server is not installed on this machine."""


class ServerFailed(RuntimeError):
    """A server did not start; the message ends with the tail of its log."""


def free_port() -> int:
    """Return a free loopback port."""
    for port in random.SystemRandom().sample(PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ServerFailed("no free loopback port found")


def ask(port: int, request: bytes, *, size: int) -> bytes:
    """Return a server's answer to a few bytes on loopback; empty without an answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(request)
            return connection.recv(size)
    except OSError:
        return b""


class ServerProcess(ABC):
    """One server with its own directory and a port that it keeps over restarts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix=f"engage-{name}-"))
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line of the server."""

    @abstractmethod
    def answers(self) -> bool:
        """Return whether the server is ready for clients."""

    @property
    def log(self) -> Path:
        return self.directory / "server.log"

    @property
    def pid(self) -> int | None:
        """Process id, for tests that stop or limit the server in their own way."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it unless it runs, and wait until it answers."""
        if self.running:
            return self
        with self.log.open("ab") as log:
            # Its own process session: Ctrl-C reaches the tests, which then stop it in order.
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_ready()
        return self

    def stop(self) -> None:
        """Stop it in order, or by force after the timeout; its data stays."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop it at once, as a crash would; its data stays."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Stop it, then start it again on its port and data."""
        self.stop()
        return self.start()

    def close(self) -> None:
        """Stop it and remove its data."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _end(self, signum: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signum)
        # A server frozen with SIGSTOP cannot receive SIGTERM.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT
        while not self.answers():
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(f"{self.name} did not start:\n{self.log_tail()}")
            time.sleep(0.05)

    def log_tail(self) -> str:
        """Return the end of the server's log, for the message of a failure."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
