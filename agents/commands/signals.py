"""SIGTERM and Ctrl-C: every command ends in order, and in any case within 10 s."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import NoReturn

#: A command that has not ended by then is ended: supervisors wait 10 s before they kill.
END_SECONDS = 8.0
SIGNALS = (signal.SIGTERM, signal.SIGINT)

_Handler = Callable[[int, FrameType | None], object]


class Terminated(KeyboardInterrupt):
    """SIGTERM: what ends in order on Ctrl-C does so on this, too."""


class Stop(threading.Event):
    """Set by a signal."""

    number = 0

    @property
    def interrupt(self) -> KeyboardInterrupt:
        """Exception that the signal raises by default."""
        return _interrupt(self.number)


class Deadline:
    """Ends the process some seconds after its first signal, whatever it waits for by then.

    The signal reaches a thread of its own through the wakeup descriptor, which is written even while
    the main thread is in foreign code.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._out, self._in = os.pipe()
        os.set_blocking(self._in, False)
        self._before = signal.set_wakeup_fd(self._in, warn_on_full_buffer=False)
        self._number = 0
        #: Exit code of a forced end; None: that of the signal.
        self.code: int | None = None
        #: Called just before a forced end, to end child processes.
        self.last: Callable[[], object] | None = None
        threading.Thread(target=self._watch, name="deadline", daemon=True).start()

    def close(self) -> None:
        """Watch no longer, unless a signal has come: then the end of the interpreter is watched, too."""
        signal.set_wakeup_fd(self._before)
        if self._number not in SIGNALS:
            os.close(self._in)

    def _watch(self) -> None:
        while self._number not in SIGNALS:
            arrived = os.read(self._out, 1)
            if not arrived:
                os.close(self._out)
                return
            self._number = arrived[0]
        threading.Event().wait(self._seconds)
        self._end()

    def _end(self) -> None:
        try:
            if self.last is not None:
                self.last()
            text = f"engage: not everything could be closed within {self._seconds:.0f} s\n"
            os.write(2, text.encode())
        finally:
            os._exit(128 + self._number if self.code is None else self.code)


_deadline: Deadline | None = None


def end_at_once() -> None:
    """Let a signal end the process from now on: while modules are imported, nothing must be closed.

    As the first process of a container, a process without a handler would not even notice SIGTERM.
    """
    for number in SIGNALS:
        signal.signal(number, lambda number, _: os._exit(128 + number))


@contextlib.contextmanager
def end_in_order() -> Iterator[None]:
    """Let a signal raise KeyboardInterrupt or Terminated, and end the process 8 s later at the latest."""
    global _deadline
    if _deadline is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    _deadline = Deadline(END_SECONDS)
    try:
        with _handlers(_raise):
            yield
    finally:
        _deadline.close()
        _deadline = None


@contextlib.contextmanager
def stop_signals(
    notify: Callable[[], object] | None = None,
    code: int | None = None,
    last: Callable[[], object] | None = None,
) -> Iterator[Stop]:
    """Yield an event that Ctrl-C and SIGTERM set, instead of raising; restore their handlers at the end.

    `notify` is called then as well. `code` and `last` are those of a forced end (`Deadline`).
    """
    stop = Stop()

    def note(number: int, _frame: FrameType | None) -> None:
        stop.number = stop.number or number
        stop.set()
        if notify is not None:
            notify()

    if _deadline is not None:
        _deadline.code, _deadline.last = code, last
    with _handlers(note):
        yield stop
    if _deadline is not None and not stop.is_set():
        _deadline.code = _deadline.last = None


def run_until_stopped(work: Coroutine[object, object, None]) -> None:
    """Run a coroutine; a signal cancels it, and is raised once it has cleaned up."""

    import asyncio  # Not before the handlers are there: this takes longer than all of this file.

    async def run() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        with stop_signals(lambda: loop.call_soon_threadsafe(task.cancel)) as stop:
            try:
                await task
            except asyncio.CancelledError:
                if not stop.is_set():
                    raise
            if stop.is_set():
                raise stop.interrupt

    asyncio.run(run())


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code of a command that a signal has ended: as shells give it."""
    return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


@contextlib.contextmanager
def _handlers(handler: _Handler) -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, before in kept.items():
            signal.signal(number, before)


def _raise(number: int, _frame: FrameType | None) -> None:
    raise _interrupt(number)


def _interrupt(number: int) -> KeyboardInterrupt:
    return Terminated() if number == signal.SIGTERM else KeyboardInterrupt()


def exit_now(code: int) -> NoReturn:
    """End the process without waiting for threads that a library has left behind."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
