"""Event ids of one topic partition, remembered in two generations that the log alone decides."""


class SeenIds:
    """Ids of the events since `recall_offset`.

    A generation lasts `window_ms` of the partition's log clock (the highest accepted event time), or
    until it holds `ids_max` ids. An id is remembered for the generation it was last seen in and the
    next one: at least one window, at most two. Every decision follows from the records before it. So
    reading the log again from (recall_offset, recall_clock) rebuilds this set, and it is never stored.
    """

    __slots__ = (
        "_clock", "_number", "_offset", "_window_ms", "capped",
        "current", "ids_max", "previous", "recall_clock", "recall_offset",
    )  # fmt: skip

    def __init__(self, window_ms: int, ids_max: int, offset: int = 0, clock: int = 0) -> None:
        #: 0 if `window_ms` is 0: no id is remembered.
        self.ids_max = ids_max if window_ms else 0
        self._window_ms = window_ms or 1
        self.current: set[str] = set()
        self.previous: set[str] = set()
        #: Where the previous generation began: its first offset, and the log clock there.
        self.recall_offset = self._offset = offset
        self.recall_clock = self._clock = clock
        self._number = clock // self._window_ms
        #: Generations that ended early because they were full.
        self.capped = 0

    def begin(self, offset: int) -> None:
        """Start at the offset where the log begins, before anything is read."""
        self.recall_offset = self._offset = offset

    def advance(self, offset: int, clock_before: int, clock: int) -> None:
        """Move the log clock to that of the record at `offset`; begin a generation if it is due."""
        number = clock // self._window_ms
        if number != self._number:
            skipped = number > self._number + 1
            self._rotate(offset, clock_before)
            if skipped:
                self.previous = set()
            self._number = number

    def add(self, event_id: str, offset: int, clock: int) -> bool:
        """Remember the id of the record at `offset`; return whether it was known."""
        if not self.ids_max:
            return False
        # The sets are far larger than the processor's caches, so each look costs: one does for both.
        current = self.current
        size = len(current)
        current.add(event_id)
        is_known = len(current) == size or event_id in self.previous
        if len(current) >= self.ids_max:
            self.capped += 1
            self._rotate(offset + 1, clock)
        return is_known

    def _rotate(self, offset: int, clock: int) -> None:
        self.previous = self.current
        self.current = set()
        self.recall_offset, self.recall_clock = self._offset, self._clock
        self._offset, self._clock = offset, clock
