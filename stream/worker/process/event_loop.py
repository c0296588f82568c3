"""Keeps the event loop answering: cuts long work into slices, and measures how long it lets others wait."""

import asyncio
import time
from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

_SLICE_SECONDS = 0.005
_FIRST, _MOST = 64, 1024
_MEASURE_SECONDS = 0.1
#: The longest wait is known for one to two of these: for longer than scrapes are apart.
_KEPT_SECONDS = 60.0
_T = TypeVar("_T")


class SliceSize:
    """Number of records to fold before the event loop gets a turn, by what the last slice has cost."""

    def __init__(self) -> None:
        self.records = _FIRST

    def note(self, records: int, seconds: float) -> None:
        """Set the size of the next slice, now that one of `records` records has taken `seconds`."""
        fitting = round(records * _SLICE_SECONDS / max(seconds, 1e-6))
        # It grows slowly, since the next records may cost more; it shrinks at once.
        self.records = max(min(fitting, 2 * self.records, _MOST), 1)


class Turns:
    """Lets one of the batches on their way go on in each turn of the event loop.

    An answer takes several turns. If each batch folded a slice in each of them, it would come late.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def next(self) -> None:
        """Wait for a turn of the event loop in which no other batch goes on."""
        async with self._lock:
            await asyncio.sleep(0)


async def in_slices(found: Iterable[_T], most: int | None = None) -> list[_T]:
    """Return all items, or the first `most`; the event loop gets a turn after each slice of them."""
    items: list[_T] = []
    end = time.perf_counter() + _SLICE_SECONDS
    for item in islice(found, most):
        items.append(item)
        if time.perf_counter() > end:
            await asyncio.sleep(0)
            end = time.perf_counter() + _SLICE_SECONDS
    return items


class LoopLag:
    """Longest wait of the event loop within the last minutes."""

    def __init__(self) -> None:
        self._longest = self._longest_before = 0.0
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """The longest wait."""
        return max(self._longest, self._longest_before)

    async def run(self) -> None:
        """Measure, for ever."""
        while True:
            asked = time.monotonic()
            await asyncio.sleep(_MEASURE_SECONDS)
            now = time.monotonic()
            self.note(now - asked - _MEASURE_SECONDS, now)

    def note(self, late_seconds: float, now: float) -> None:
        """Note one wait; `now` in monotonic seconds."""
        if now - self._began > _KEPT_SECONDS:
            self._longest_before, self._longest, self._began = self._longest, 0.0, now
        self._longest = max(self._longest, late_seconds)
