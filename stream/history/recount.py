"""Indexes of aggregates that count contributions anew: those of all entries, or of one group of them."""

from collections.abc import Callable, Hashable, Sequence
from heapq import merge

from stream.counters.segments import SegmentRegistry
from stream.history.events import Aggregate, Contributions, HistoryEntry
from stream.history.order import EntryOrder

#: Most entries of one group, such as the messages of one ticket.
GROUP_MAX = 1_000


class Recount:
    """Index that counts the contributions of all entries anew."""

    def __init__(self, aggregate: Aggregate, registry: SegmentRegistry) -> None:
        self._aggregate = aggregate
        self._registry = registry
        self._order = EntryOrder(registry, aggregate.in_order)
        self._entries: list[HistoryEntry] = []

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        self._entries = [*entries]

    @property
    def size(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    def add(self, new: Sequence[HistoryEntry]) -> Contributions:
        """Take in new entries, and return the change of the counts."""
        aggregate, registry, before = self._aggregate, self._registry, self._entries
        after = self._entries = [*merge(before, new, key=self._order.key)]
        if aggregate.is_unchanged(before, after, registry):
            return Contributions()
        change = aggregate.contributions(after, registry)
        change.subtract(aggregate.contributions(before, registry))
        return change


class ByGroup:
    """Index of entries whose groups contribute independently: counts the group of a new entry anew."""

    def __init__(
        self,
        aggregate: Aggregate,
        registry: SegmentRegistry,
        group_of: Callable[[HistoryEntry], Hashable],
    ) -> None:
        self._aggregate = aggregate
        self._registry = registry
        self._group_of = group_of
        self._groups: dict[Hashable, Recount] = {}

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        for group, of_group in self._grouped(entries).items():
            self._group(group).load(of_group)

    def with_room(self, new: Sequence[HistoryEntry]) -> list[HistoryEntry]:
        """Return the entries whose group has less than GROUP_MAX: each entry costs the whole group."""
        groups = self._groups
        return [
            entry
            for entry in new
            if (group := groups.get(self._group_of(entry))) is None or group.size < GROUP_MAX
        ]

    def add(self, new: Sequence[HistoryEntry]) -> Contributions:
        """Take in new entries, and return the change of the counts."""
        counts: Contributions = Contributions()
        for group, of_group in self._grouped(new).items():
            for key, count in self._group(group).add(of_group).items():
                counts[key] += count
        return counts

    def _grouped(self, entries: Sequence[HistoryEntry]) -> dict[Hashable, list[HistoryEntry]]:
        found: dict[Hashable, list[HistoryEntry]] = {}
        for entry in entries:
            found.setdefault(self._group_of(entry), []).append(entry)
        return found

    def _group(self, group: Hashable) -> Recount:
        found = self._groups.get(group)
        if found is None:
            found = self._groups[group] = Recount(self._aggregate, self._registry)
        return found
