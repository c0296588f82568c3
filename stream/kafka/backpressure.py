"""Bounds the batches on their way from the consumer to the agents."""

import asyncio
import contextlib
from collections.abc import Callable

_LOOK_AGAIN_SECONDS = 0.2


class Backpressure:
    """Counts batches that were delivered and not yet consumed; the consumer waits beyond `limit`."""

    def __init__(self, limit: int, is_stopping: Callable[[], bool]) -> None:
        self._limit = limit
        self._is_stopping = is_stopping
        self._waiting = 0
        self._room = asyncio.Event()

    def delivered(self) -> None:
        """Count a batch that is on its way to its agent."""
        self._waiting += 1

    def consumed(self) -> None:
        """Count a batch that its agent is done with."""
        self._waiting = max(self._waiting - 1, 0)
        self._room.set()

    def reset(self) -> None:
        """Start from zero: a rebalance has discarded the batches on their way."""
        self._waiting = 0
        self._room.set()

    async def room(self) -> None:
        """Wait while too many batches are on their way."""
        # Agents that are being stopped consume nothing: the consumer must not wait for them.
        while self._waiting > self._limit and not self._is_stopping():
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), _LOOK_AGAIN_SECONDS)
