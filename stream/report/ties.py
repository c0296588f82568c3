"""Orders events of the same millisecond by what their input tells about its order."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, pairwise

from schemas.events import Event
from stream.report.spill import Timed

#: Number of an item over all inputs, and its event with the time.
Numbered = tuple[int, Timed]


class InputOrder:
    """Tells whether the lines of an input rise or fall by time."""

    def __init__(self) -> None:
        self.rises = self.falls = True
        #: Times of the first and the last line.
        self.first: list[int] = []
        self.last: list[int] = []

    def note(self, times: Sequence[int]) -> None:
        """Note the times of the next lines."""
        times = [*self.last, *times]
        self.rises = self.rises and all(a <= b for a, b in pairwise(times))
        self.falls = self.falls and all(a >= b for a, b in pairwise(times))
        self.first = self.first or [*times[:1]]
        self.last = [*times[-1:]]

    def note_part(self, part: "InputOrder") -> None:
        """Note the next part of the input."""
        self.note(part.first)
        self.note(part.last)
        self.rises = self.rises and part.rises
        self.falls = self.falls and part.falls


class Ties:
    """Orders events of one millisecond: as they came if their input rises, backwards if it falls.

    In any other input microseconds decide, then the event_id: so the order of its lines changes no
    number. Inputs come one after the other.
    """

    def __init__(self, before: Sequence[int], orders: Sequence[InputOrder]) -> None:
        """`before`: number of the items before each input."""
        self._before, self._orders = before, orders
        self.are_as_read = all(order.rises for order in orders)

    def ordered(self, blocks: Iterable[list[Numbered]]) -> Iterator[list[Numbered]]:
        """Yield the events of blocks that are in the order of time and number."""
        if self.are_as_read:
            yield from blocks
            return
        held: list[Numbered] = []
        for block in blocks:
            held += block
            if not held or held[0][1][1] == held[-1][1][1]:
                continue
            newest_ms = held[-1][1][1]
            whole = bisect_left(held, newest_ms, key=lambda one: one[1][1])
            yield list(self._ordered(held[:whole]))
            held = held[whole:]
        yield list(self._ordered(held))

    def _ordered(self, block: list[Numbered]) -> Iterator[Numbered]:
        for _, tied in groupby(block, key=lambda one: one[1][1]):
            group = list(tied)
            if len(group) > 1:
                group.sort(key=self.key)
            yield from group

    def key(self, one: Numbered) -> tuple[int, int, int, str]:
        """Return the place of an event among those of its millisecond."""
        number, (event, _) = one
        place = bisect_left(self._before, number) - 1
        order = self._orders[place]
        if order.rises:
            return place, 0, number, ""
        if order.falls:
            return place, 0, -number, ""
        return place, _microseconds(event), 0, event.event_id


def _microseconds(event: Event) -> int:
    """Return the microseconds of an event's time beyond its milliseconds."""
    time = event.event_time
    return time.microsecond % 1000 if isinstance(time, datetime) else 0
