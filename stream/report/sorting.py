"""Sorts events by their time in bounded memory: full chunks become sorted runs in a file."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from stream.report.spill import Place, Spill, TimedItem

#: Bytes of events held in memory.
CHUNK_BYTES = 32 << 20
#: What an event in memory takes beside its bytes.
_OBJECT_BYTES = 120
_BLOCK_EVENTS = 2_000


class Sorter:
    """Takes events in any order and gives them back by time, those of the same time as they came."""

    def __init__(self, spill: Spill, chunk_bytes: int | None = None) -> None:
        self._spill = spill
        self._chunk_bytes = chunk_bytes or CHUNK_BYTES
        self._times: list[int] = []
        self._numbers: list[int] = []
        self._raws: list[bytes] = []
        self._size = 0
        #: Places of each sorted run.
        self.runs: list[list[Place]] = []
        self._newest_ms = 0
        #: Whether every event so far came in the order of the times.
        self.is_ordered = True

    def add(self, time_ms: int, number: int, raw: bytes) -> bool:
        """Take an event; return whether the chunk is full: then call `spill` or `drop`."""
        if time_ms < self._newest_ms:
            self.is_ordered = False
        else:
            self._newest_ms = time_ms
        self._times.append(time_ms)
        self._numbers.append(number)
        self._raws.append(raw)
        self._size += len(raw) + _OBJECT_BYTES
        return self._size >= self._chunk_bytes

    def drop(self) -> None:
        """Forget the events in memory, because they can be read again in this order."""
        self._times, self._numbers, self._raws = [], [], []
        self._size = 0

    def spill(self) -> None:
        """Move the events in memory to the file, as a sorted run. Raises SpillError."""
        if self._raws:
            columns = zip(*self._in_order(), strict=True)
            times, numbers, raws = (list(column) for column in columns)
            self.runs.append(self._spill.write_run(times, numbers, raws))
            self.drop()

    def merged(self, others: Iterable[Iterator[list[TimedItem]]] = ()) -> Iterator[list[TimedItem]]:
        """Yield all events in order, in blocks, together with those of the runs `others`."""
        runs = [*others, *map(self._spill.read_run, self.runs), self._blocks_in_memory()]
        yield from merge(runs)

    def _in_order(self) -> list[TimedItem]:
        order = sorted(range(len(self._times)), key=self._times.__getitem__)
        times, numbers, raws = self._times, self._numbers, self._raws
        return [(times[i], numbers[i], raws[i]) for i in order]

    def _blocks_in_memory(self) -> Iterator[list[TimedItem]]:
        events = self._in_order()
        self.drop()
        for first in range(0, len(events), _BLOCK_EVENTS):
            yield events[first : first + _BLOCK_EVENTS]


def merge(runs: Iterable[Iterator[list[TimedItem]]]) -> Iterator[list[TimedItem]]:
    """Merge sorted runs. An event's (time, number) is unique, so its bytes are never compared."""
    heads = [(block, run) for run in runs if (block := next(run, None)) is not None]
    while len(heads) > 1:
        # No event up to the lowest last one can come any more.
        time_ms, number, _ = min(block[-1] for block, _ in heads)
        border = (time_ms, number + 1, b"")
        ready: list[TimedItem] = []
        rest: list[tuple[list[TimedItem], Iterator[list[TimedItem]]]] = []
        for block, run in heads:
            place = bisect_left(block, border)
            ready += block[:place]
            left: list[TimedItem] | None = block[place:] or next(run, None)
            if left is not None:
                rest.append((left, run))
        ready.sort()
        yield ready
        heads = rest
    for block, run in heads:
        yield block
        yield from run
