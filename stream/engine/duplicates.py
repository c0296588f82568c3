"""Duplicate event ids of one topic partition, remembered in two generations that the log alone decides."""


class SeenIds:
    """Ids of the events since `recall_offset`.

    A generation lasts `window_ms` of the partition's log clock (the highest accepted event time), or
    until it holds `ids_max` ids; an id is remembered for the generation it was last seen in and the next
    one: at least one window, at most two. Every decision follows from the records before it, so reading
    the log again from (recall_offset, recall_clock) rebuilds exactly this set: it is never stored.
    """

    __slots__ = (
        "_clock", "_number", "_offset", "_window_ms", "capped",
        "current", "ids_max", "previous", "recall_clock", "recall_offset",
    )  # fmt: skip

    def __init__(self, window_ms: int, ids_max: int, offset: int = 0, clock: int = 0) -> None:
        #: Without a window nothing is remembered.
        self.ids_max = ids_max if window_ms else 0
        self._window_ms = window_ms or 1
        self.current: set[str] = set()
        self.previous: set[str] = set()
        #: Where the previous generation began: the offset to read from, and the log clock there.
        self.recall_offset = self._offset = offset
        self.recall_clock = self._clock = clock
        self._number = clock // self._window_ms
        #: Generations that ended early because they were full.
        self.capped = 0

    def begin(self, offset: int) -> None:
        """Nothing has been read, and the log begins here."""
        self.recall_offset = self._offset = offset

    def advance(self, offset: int, clock_before: int, clock: int) -> None:
        """The record at `offset` moves the log clock: begin a generation when its time has come."""
        number = clock // self._window_ms
        if number != self._number:
            skipped = number > self._number + 1
            self._rotate(offset, clock_before)
            if skipped:
                self.previous = set()
            self._number = number

    def add(self, event_id: str, offset: int, clock: int) -> None:
        """Remember the id of the record at `offset`."""
        if self.ids_max:
            self.current.add(event_id)
            if len(self.current) >= self.ids_max:
                self.rotate_full(offset, clock)

    def rotate_full(self, offset: int, clock: int) -> None:
        """Begin a generation after the record at `offset`, since this one holds all it may."""
        self.capped += 1
        self._rotate(offset + 1, clock)

    def _rotate(self, offset: int, clock: int) -> None:
        self.previous = self.current
        self.current = set()
        self.recall_offset, self.recall_clock = self._offset, self._clock
        self._offset, self._clock = offset, clock
