"""The wall clock of workers and reports; the engine below is given the time as a value."""

import time


def now_ms() -> int:
    """Return the wall clock in epoch ms."""
    return time.time_ns() // 1_000_000
