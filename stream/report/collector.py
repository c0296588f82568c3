"""Tunes the garbage collector to a report, which keeps people and makes no cycles for each event."""

import gc

#: New objects between two collections: those of some thousand events.
_YOUNG = 100_000


def tune_collector() -> None:
    """Make collections rare: walking the people in memory over and over took half of a report's time."""
    gc.freeze()
    gc.set_threshold(_YOUNG, 50, 1_000)
