"""Garbage collection of a worker, which keeps much and whose events make no cycles.

Python's collector walks every container that was made since its last run, to find cycles that nothing
refers to. A worker makes people, sessions and counts by the thousand, and keeps them: a fifth of its
time went into walking them. So the collector looks at what was made between two slices of events, and
leaves out (`gc.freeze`) what a slice has made. What was left out and later became a cycle is
looked for once an hour.
"""

import asyncio
import gc

#: New containers after which the collector runs by itself: more than a slice of events makes.
_YOUNG = 50_000
#: New containers that are worth a look before a slice: the next slice looks at fewer.
_SOME = 1_000
_SEARCH_SECONDS = 3_600.0


class GarbageCollector:
    """The collector of this process, which runs as Python does until `begin`."""

    def __init__(self) -> None:
        self._has_begun = False

    def begin(self) -> None:
        """Leave out what was imported, and what slices of events make from now on."""
        self._has_begun = True
        gc.set_threshold(_YOUNG, 50, 1_000)
        gc.freeze()

    def before_slice(self) -> None:
        """Collect what was made since the last slice: tasks, answers of servers, pages."""
        if self._has_begun and gc.get_count()[0] > _SOME:
            gc.collect(0)

    def after_slice(self) -> None:
        """Leave out what the slice has made."""
        if self._has_begun:
            gc.freeze()

    def search(self) -> int:
        """Look at everything, for as long as half a second; return the number of objects found."""
        gc.unfreeze()
        found = gc.collect()
        self.after_slice()
        return found

    async def run(self) -> None:
        """Look at everything once an hour, for ever."""
        while True:
            await asyncio.sleep(_SEARCH_SECONDS)
            self.search()


#: The process has one collector.
COLLECTOR = GarbageCollector()
