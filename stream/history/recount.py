"""Indexes for aggregates without one of their own: `Recount` of all entries, `ByGroup` by group."""

from collections.abc import Callable, Hashable, Sequence

from stream.history.contributions import Contributions
from stream.history.events import HistoryEntry, Index
from stream.history.order import EntryOrder

#: Most entries of one group, such as the messages of one ticket.
GROUP_MAX = 1_000
#: Adds what sorted entries contribute, as often as the last argument says: −1 takes it away.
Contribute = Callable[[Sequence[HistoryEntry], Contributions, int], None]


class Recount(Index):
    """Index that counts the contributions of all entries anew."""

    __slots__ = ("_contribute", "_entries", "_order")

    def __init__(self, contribute: Contribute, order: EntryOrder) -> None:
        self._contribute = contribute
        self._order = order
        self._entries: list[HistoryEntry] = []

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        self._entries = [*entries]

    def add(self, entry: HistoryEntry, counts: Contributions) -> None:
        """Take in a new entry, and count the difference."""
        self._contribute(self._entries, counts, -1)
        self._entries.insert(self._order.place(self._entries, entry), entry)
        self._contribute(self._entries, counts, 1)


class ByGroup(Index):
    """Index of entries whose groups contribute independently. Each group has an index of its own."""

    __slots__ = ("_group_of", "_groups", "_index", "_sizes")

    def __init__(
        self, index: Callable[[], Index], group_of: Callable[[HistoryEntry], Hashable]
    ) -> None:
        """`index` makes the index of a new group."""
        self._index = index
        self._group_of = group_of
        self._groups: dict[Hashable, Index] = {}
        self._sizes: dict[Hashable, int] = {}

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        found: dict[Hashable, list[HistoryEntry]] = {}
        for entry in entries:
            found.setdefault(self._group_of(entry), []).append(entry)
        for group, of_group in found.items():
            index = self._groups[group] = self._index()
            index.load(of_group)
            self._sizes[group] = len(of_group)

    def has_room(self, entry: HistoryEntry) -> bool:
        """Return whether the group of an entry has less than GROUP_MAX: a late entry costs the whole group."""
        return self._sizes.get(self._group_of(entry), 0) < GROUP_MAX

    def add(self, entry: HistoryEntry, counts: Contributions) -> None:
        """Take in a new entry, and count the difference."""
        group = self._group_of(entry)
        index = self._groups.get(group)
        if index is None:
            index = self._groups[group] = self._index()
        index.add(entry, counts)
        self._sizes[group] = self._sizes.get(group, 0) + 1
