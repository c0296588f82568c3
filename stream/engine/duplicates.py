"""Event ids of one topic partition, remembered in two generations that the log alone decides."""


class SeenIds:
    """Ids of the events since `recall_offset`, site by site: an event id is one site's.

    A generation lasts `window_ms` of the partition's log clock (the highest accepted event time), or
    until it holds `ids_max` ids. An id is remembered for the generation it was last seen in and the
    next one: at least one window, at most two. Every decision follows from the records before it. So
    reading the log again from (recall_offset, recall_clock) rebuilds this set, and it is never stored.
    """

    __slots__ = (
        "_clock", "_number", "_offset", "_size", "_window_ms", "capped",
        "current", "ids_max", "previous", "recall_clock", "recall_offset",
    )  # fmt: skip

    def __init__(self, window_ms: int, ids_max: int, offset: int = 0, clock: int = 0) -> None:
        #: 0 if `window_ms` is 0: no id is remembered.
        self.ids_max = ids_max if window_ms else 0
        self._window_ms = window_ms or 1
        #: Site → ids. A set for each site costs less than a key made of site and id.
        self.current: dict[str, set[str]] = {}
        self.previous: dict[str, set[str]] = {}
        #: Ids in `current`, over all sites.
        self._size = 0
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
                self.previous = {}
            self._number = number

    def add(self, site: str, event_id: str, offset: int, clock: int) -> bool:
        """Remember the id of the record at `offset`; return whether its site knew it."""
        if not self.ids_max:
            return False
        ids = self.current.get(site)
        if ids is None:
            ids = self.current[site] = set()
        # The sets are far larger than the processor's caches, so each look costs: one does for both.
        size = len(ids)
        ids.add(event_id)
        if len(ids) == size:
            return True
        before = self.previous.get(site)
        is_known = before is not None and event_id in before
        self._size += 1
        if self._size >= self.ids_max:
            self.capped += 1
            self._rotate(offset + 1, clock)
        return is_known

    def _rotate(self, offset: int, clock: int) -> None:
        self.previous = self.current
        self.current = {}
        self._size = 0
        self.recall_offset, self.recall_clock = self._offset, self._clock
        self._offset, self._clock = offset, clock
