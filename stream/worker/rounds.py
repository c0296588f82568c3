"""Rounds of checkpoints: all workers store at the same moments, and the publisher reads just after them."""

import asyncio


class Rounds:
    """Rounds that are stored; another task waits for the next one."""

    def __init__(self) -> None:
        #: Number of rounds stored since the worker started.
        self.number = 0
        self._next = asyncio.Event()

    def stored(self) -> None:
        """Note that a round is stored."""
        self.number += 1
        done, self._next = self._next, asyncio.Event()
        done.set()

    async def after(self, number: int, timeout_seconds: float) -> None:
        """Wait until more than `number` rounds are stored, or the timeout."""
        if self.number <= number:
            waiting = asyncio.ensure_future(self._next.wait())
            await asyncio.wait([waiting], timeout=timeout_seconds)
            waiting.cancel()


def seconds_to_round(interval_seconds: float, epoch_seconds: float) -> float:
    """Return the seconds until the next round: at the multiples of the interval, by the wall clock.

    Moments that all workers share: the sums over their shards are as old as the shard that stores
    last. A round that took long leaves out the next moment, or there would be time for nothing else.
    """
    left = interval_seconds - epoch_seconds % interval_seconds
    return left if left >= interval_seconds / 4 else left + interval_seconds
