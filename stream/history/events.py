"""Person history: the stored entries of rarer events, and the index that turns them into counts.

A new entry counts only the difference, so that late, reordered and repeated events end in the same
numbers.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

from stream.history.contributions import Contributions

#: (epoch ms of the event, id of its segment set, the aggregate's fields: numbers, texts, None,
#: bytes)
HistoryEntry = tuple[Any, ...]
#: Returns what sorts the fields of entries at one instant.
FieldsKey = Callable[[HistoryEntry], Any]
#: Most entries of one person and aggregate. A further event is refused, with a dead letter.
HISTORY_MAX = 50_000
#: Entries from which forgotten ones are dropped many at a time: that is cheaper than one by one.
_MANY = 64


class Index:
    """Contributions of a person's entries of one aggregate, kept up to date entry by entry.

    It is built anew from the stored entries; that of a long history stays in memory.
    """

    __slots__ = ()

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries, sorted by time. Called once, before `add`."""
        raise NotImplementedError

    def add(self, entry: HistoryEntry, counts: Contributions) -> None:
        """Take in a new entry, and add what it changes to `counts`."""
        raise NotImplementedError

    def has_room(self, entry: HistoryEntry) -> bool:  # noqa: ARG002
        """Return whether an entry can be taken in."""
        return True


class EachEntry(Index):
    """Index that takes each entry in the same way, known or new."""

    __slots__ = ()

    def take(self, entry: HistoryEntry, counts: Contributions | None) -> None:
        """Take in an entry; `counts` takes what it changes, None: it is counted already."""
        raise NotImplementedError

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        for entry in entries:
            self.take(entry, None)

    def add(self, entry: HistoryEntry, counts: Contributions) -> None:
        """Take in a new entry, and count the change."""
        self.take(entry, counts)


def time_of(entry: HistoryEntry) -> int:
    """Return the time of an entry in epoch ms."""
    return int(entry[0])


def entries_over(history: Sequence[HistoryEntry], oldest_ms: int) -> int:
    """Return how many entries before `oldest_ms` to drop: of a long history none, until it is worth it."""
    if not history or history[0][0] >= oldest_ms:
        return 0
    over = bisect_left(history, oldest_ms, key=time_of)
    return over if len(history) < _MANY or over >= len(history) // 4 else 0
