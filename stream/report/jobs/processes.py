"""Processes of the jobs of a report: started together, asked together, and ended together."""

import os
import random
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

from stream.report.jobs.messages import (
    Answer,
    Channel,
    Failed,
    JobEndedError,
    Progress,
    Request,
    decode_answer,
)
from stream.report.spill import SpillError, unnamed_file

#: With the import path of this process, wherever it was started and whatever lies there.
_CODE = (
    "import sys; sys.path[:] = sys.argv.pop(1).splitlines(); "
    "from stream.report.jobs.job import main; main(sys.argv[1:])"
)
_END_SECONDS = 5.0
_A = TypeVar("_A", bound=Answer)


class JobError(Exception):
    """A job has ended; the message says what to do."""


class Processes:
    """The jobs of a report. Each has a file without a name, which all can read."""

    def __init__(self, count: int, show: Callable[[int, int], None]) -> None:
        """`show` is told the lines read and the events counted by all jobs."""
        self._show = show
        self._progress: dict[int, Progress] = {}
        self._channels: list[Channel] = []
        self._running: list[subprocess.Popen[bytes]] = []
        files = [unnamed_file() for _ in range(count)]
        try:
            # One seed, because the jobs compare hashes of ids; a new one, so that nobody can know it.
            seed = str(random.SystemRandom().randrange(1, 1 << 32))
            for number in range(count):
                self._start(number, [file.fileno() for file in files], seed)
        except BaseException:
            self.end()
            raise
        finally:
            for file in files:
                file.close()

    def tell(self, request: Request) -> None:
        """Send a request without an answer to all jobs. Raises JobError."""
        for number in range(len(self._channels)):
            self._send(number, request)

    def ask(self, kind: type[_A], requests: Mapping[int, Request]) -> dict[int, _A]:
        """Send each job its request; return the answers. Raises JobError and SpillError."""
        for number, request in requests.items():
            self._send(number, request)
        found: dict[int, _A] = {}
        with selectors.DefaultSelector() as waiting:
            for number in requests:
                waiting.register(self._channels[number].socket, selectors.EVENT_READ, number)
            while len(found) < len(requests):
                for key, _ in waiting.select():
                    answer = self._receive(key.data)
                    if isinstance(answer, Progress):
                        self._note(key.data, answer)
                    elif isinstance(answer, Failed):
                        raise SpillError(answer.text)
                    else:
                        assert isinstance(answer, kind)
                        found[key.data] = answer
                        waiting.unregister(key.fileobj)
        return dict(sorted(found.items()))

    def end(self) -> None:
        """End all jobs at once, whatever they do."""
        for channel in self._channels:
            channel.socket.close()
        for process in self._running:
            process.kill()
        for process in self._running:
            process.wait()
        self._running, self._channels = [], []

    def _start(self, number: int, files: list[int], seed: str) -> None:
        ours, theirs = socket.socketpair()
        self._channels.append(Channel(ours))
        # A signal reaches the whole group, and a job inherits that it is held back: the report ends it.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        try:
            self._run(theirs, number, files, seed)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)

    def _run(self, theirs: socket.socket, number: int, files: list[int], seed: str) -> None:
        with theirs:
            given = [theirs.fileno(), number, *files]
            self._running.append(
                subprocess.Popen(  # noqa: S603
                    [sys.executable, "-P", "-c", _CODE, "\n".join(sys.path), *map(str, given)],
                    pass_fds=[theirs.fileno(), *files],
                    env={**os.environ, "PYTHONHASHSEED": seed},
                )
            )

    def _send(self, number: int, request: Request) -> None:
        try:
            self._channels[number].send(request)
        except JobEndedError as error:
            raise self._ended(number) from error

    def _receive(self, number: int) -> Answer:
        try:
            answer: Answer = decode_answer(self._channels[number].receive())
            return answer
        except JobEndedError as error:
            raise self._ended(number) from error

    def _ended(self, number: int) -> JobError:
        try:
            code = self._running[number].wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            code = 0
        how = f"with code {code}"
        if code < 0:
            how = f"by {signal.Signals(-code).name}"
        if code == -signal.SIGKILL:
            how += ", as a system without free memory ends it"
        return JobError(f"a process of the report was ended {how}. --jobs 1 takes the least memory")

    def _note(self, number: int, progress: Progress) -> None:
        self._progress[number] = progress
        every = self._progress.values()
        self._show(sum(one.read for one in every), sum(one.counted for one in every))
