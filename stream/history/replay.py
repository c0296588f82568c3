"""Index of entries that matter in time order: it replays them, from the last mark before a new one."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from stream.counters.segments import SegmentRegistry
from stream.history.contributions import Contributions
from stream.history.events import FieldsKey, HistoryEntry, Index, time_of
from stream.history.order import EntryOrder

#: Entries between two marks, and entries from which the settled ones are replaced by their state.
_APART = 64


class ReplayState:
    """State after some entries, as far as later entries depend on it."""

    __slots__ = ()

    def take(self, entry: HistoryEntry, by: int, counts: Contributions | None) -> None:
        """Take the entry that comes next, and count what it changes; `by` −1: take that away.

        `counts` None: it is counted already.
        """
        raise NotImplementedError

    def copy(self) -> "ReplayState":
        """Return a copy that later entries of this one leave as it is."""
        raise NotImplementedError

    def stored(self, settled_ms: int) -> list[HistoryEntry]:
        """Return entries that stand for the state. Their time is negative: no event has such a time."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """Return the cost of a copy, in entries."""
        raise NotImplementedError


#: Builds a state from stored entries that stand for one; see `Replay.begin`.
Begin = Callable[[Sequence[HistoryEntry], bool], ReplayState]


class Replay(Index):
    """The state after all entries, and marks: states after some of them.

    An entry that comes last costs one step. An entry before others replays those after the last mark
    before it, once without and once with it.
    """

    __slots__ = ("_entries", "_marks", "_order", "_since_mark", "_state", "_stored")

    def __init__(self, registry: SegmentRegistry, fields: FieldsKey) -> None:
        self._order = EntryOrder(registry, fields)
        self._entries: list[HistoryEntry] = []
        #: Number of the entries that stand for the state before the others.
        self._stored = 0
        self._state: ReplayState | None = None
        #: (number of entries, state after them)
        self._marks: list[tuple[int, ReplayState]] = []
        #: Entries since the last mark.
        self._since_mark = 0

    def begin(self, stored: Sequence[HistoryEntry], is_first: bool) -> ReplayState:
        """Return the state that stored entries stand for; `is_first`: take note of what these have counted."""
        raise NotImplementedError

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        self._entries = [*entries]
        self._stored = _stored_number(entries)
        self._state = self.begin(entries[: self._stored], True)
        self._replay(self._stored, 1, None)

    def add(self, entry: HistoryEntry, counts: Contributions) -> None:
        """Take in a new entry, and count what it changes."""
        state, entries = self._state, self._entries
        if state is None:
            self._state = self.begin(entries, True)
        place = self._order.place(entries, entry)
        if place < len(entries):
            self._insert(place, entry, counts)
            return
        entries.append(entry)
        self._replay(place, 1, counts)

    def _insert(self, place: int, entry: HistoryEntry, counts: Contributions) -> None:
        marks, entries = self._marks, self._entries
        while marks and marks[-1][0] > place:
            marks.pop()
        if marks:
            start, mark = marks[-1]
        else:
            start, mark = self._stored, self.begin(entries[: self._stored], False)
        without = mark.copy()
        for later in entries[start:]:
            without.take(later, -1, counts)
        entries.insert(place, entry)
        self._state = mark.copy()
        self._since_mark = 0
        self._replay(start, 1, counts)

    def _replay(self, start: int, by: int, counts: Contributions | None) -> None:
        """Take the entries from a place on, and leave marks."""
        state = self._state
        assert state is not None
        for number in range(start, len(self._entries)):
            state.take(self._entries[number], by, counts)
            self._since_mark += 1
            # Copying an entry of the state is several times as cheap as replaying one.
            if self._since_mark >= _APART and self._since_mark >= state.size // 4:
                self._marks.append((number + 1, state.copy()))
                self._since_mark = 0


def condensed(
    history: list[HistoryEntry], oldest_ms: int, settled_ms: int, begin: Begin
) -> list[HistoryEntry]:
    """Return the history with its settled entries replaced by their state, once that is worth it."""
    stored = _stored_number(history)
    over = bisect_left(history, settled_ms, key=time_of) - stored
    is_old = over > 0 and history[stored][0] < oldest_ms and len(history) < _APART
    if not is_old and (over < _APART or over < len(history) // 4):
        return history
    state = begin(history[:stored], True)
    for entry in history[stored : stored + over]:
        state.take(entry, 1, None)
    return [*state.stored(settled_ms), *history[stored + over :]]


def _stored_number(history: Sequence[HistoryEntry]) -> int:
    """Return the number of entries that stand for a state."""
    if not history or history[0][0] >= 0:
        return 0
    return bisect_left(history, 0, key=time_of)
