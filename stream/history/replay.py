"""Index of entries that matter in time order: it replays them, from the last mark before a new one."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from heapq import merge
from typing import Any, Generic, Protocol, Self, TypeVar

from stream.history.events import Contributions, HistoryEntry
from stream.history.order import EntryOrder

#: What an entry changes: anything that adds up.
Outcomes = Counter[Any]
#: Entries between two marks, and entries from which the settled ones are replaced by their state.
_APART = 64


class State(Protocol):
    """State after some entries, as far as later entries depend on it."""

    def take(self, entry: HistoryEntry, outcomes: Outcomes) -> None:
        """Take the entry that comes next, and add what it changes to `outcomes`."""

    def copy(self) -> Self:
        """Return a copy that later entries of this one leave as it is."""

    def stored(self, settled_ms: int) -> list[HistoryEntry]:
        """Return entries that stand for the state. Their time is negative: no event has such a time."""

    @property
    def size(self) -> int:
        """Return the cost of a copy, in entries."""


AnyState = TypeVar("AnyState", bound=State)
#: Builds a state from stored entries that stand for one, and adds what is known to the outcomes.
Begin = Callable[[Sequence[HistoryEntry], Outcomes], AnyState]


class Replay(Generic[AnyState]):
    """The state after all entries, and marks: states after some of them.

    An entry that comes last costs one step. An entry before others replays those after the last mark
    before it, once without and once with it.
    """

    def __init__(
        self,
        begin: Begin[AnyState],
        count: Callable[[Outcomes, Contributions | None], None],
        order: EntryOrder,
    ) -> None:
        """`count` turns outcomes into contributions; None: they are counted already."""
        self._begin = begin
        self._count = count
        self._order = order
        self._entries: list[HistoryEntry] = []
        self._marks: list[tuple[int, AnyState]] = []

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        outcomes: Outcomes = Counter()
        self._start(entries, outcomes)
        self._count(outcomes, None)

    def add(self, new: Sequence[HistoryEntry]) -> Contributions:
        """Take in new entries, and return the change of the counts."""
        outcomes: Outcomes = Counter()
        counts: Contributions = Counter()
        if not self._marks:
            self._start(new, outcomes)
        elif (place := self._order.place(self._entries, new[0])) == len(self._entries):
            self._entries += new
            self._replay(place, outcomes)
        else:
            self._insert(place, new, outcomes)
        self._count(outcomes, counts)
        return counts

    def _start(self, entries: Sequence[HistoryEntry], outcomes: Outcomes) -> None:
        stored = _stored_number(entries)
        self._entries = [*entries]
        self._state = self._begin(entries[:stored], outcomes)
        self._marks = [(stored, self._state.copy())]
        self._replay(stored, outcomes)

    def _insert(self, place: int, new: Sequence[HistoryEntry], outcomes: Outcomes) -> None:
        while self._marks[-1][0] > place:
            self._marks.pop()
        start, state = self._marks[-1]
        later = self._entries[start:]
        without: Outcomes = Counter()
        self._state = state.copy()
        for entry in later:
            self._state.take(entry, without)
        self._entries[start:] = merge(later, new, key=self._order.key)
        self._state = state.copy()
        self._replay(start, outcomes)
        outcomes.subtract(without)

    def _replay(self, start: int, outcomes: Outcomes) -> None:
        """Take the entries from a place on, and leave marks."""
        state, marks = self._state, self._marks
        for number in range(start, len(self._entries)):
            state.take(self._entries[number], outcomes)
            if number + 1 - marks[-1][0] >= max(_APART, state.size):
                marks.append((number + 1, state.copy()))


def condensed(
    history: list[HistoryEntry], oldest_ms: int, settled_ms: int, begin: Begin[AnyState]
) -> list[HistoryEntry]:
    """Return the history with its settled entries replaced by their state, once that is worth it."""
    stored = _stored_number(history)
    over = bisect_left(history, settled_ms, key=lambda entry: int(entry[0])) - stored
    is_old = over > 0 and history[stored][0] < oldest_ms and len(history) < _APART
    if not is_old and over < max(_APART, len(history) // 4):
        return history
    ignored: Outcomes = Counter()
    state = begin(history[:stored], ignored)
    for entry in history[stored : stored + over]:
        state.take(entry, ignored)
    return [*state.stored(settled_ms), *history[stored + over :]]


def _stored_number(history: Sequence[HistoryEntry]) -> int:
    """Return the number of entries that stand for a state."""
    return bisect_left(history, 0, key=lambda entry: int(entry[0]))
