"""Adds a new entry to a person's history of an aggregate, and counts what it changes."""

from stream.counters.calendar import DAY_MS
from stream.counters.segments import SegmentRegistry
from stream.history.aggregates.aggregate import Aggregate
from stream.history.contributions import Contributions
from stream.history.events import HistoryEntry, Index
from stream.history.order import EntryOrder

#: Entries from which the index of a person stays in memory; that of a shorter history is soon built.
INDEXED_FROM = 3


class Learned:
    """Entries with the new one, and the index to keep in memory, if any."""

    __slots__ = ("entries", "is_crowded", "kept_index")

    def __init__(
        self, entries: list[HistoryEntry], kept_index: Index | None, is_crowded: bool = False
    ) -> None:
        self.entries = entries
        self.kept_index = kept_index
        #: Whether the group of the entry had no room for it.
        self.is_crowded = is_crowded


def learn(
    known: list[HistoryEntry] | None,
    entry: HistoryEntry,
    settled_ms: int,
    aggregate: Aggregate,
    registry: SegmentRegistry,
    counts: Contributions,
    index: Index | None = None,
) -> Learned:
    """Add an entry to the known ones; `index` is what the last call returned, if it is at hand.

    No event before `settled_ms` can arrive any more. The change of the counts is added to `counts`.
    """
    if not known:
        index = aggregate.index(registry)
        index.add(entry, counts)
        return Learned([entry], index if INDEXED_FROM <= 1 else None)
    entries = known
    if known[0][0] < settled_ms or aggregate.condenses:
        oldest_ms = settled_ms - aggregate.keep_days * DAY_MS
        entries = aggregate.settled(known, oldest_ms, settled_ms, registry)
        if entries is not known:
            index = None
    place = len(entries)
    if place and entries[-1][0] >= entry[0]:
        if entries[-1] == entry and not aggregate.keeps_equal:
            return Learned(entries, index)  # Said again, such as a goal of the same day.
        place = EntryOrder(registry, aggregate.in_order).place(entries, entry)
        if place < len(entries) and entries[place] == entry and not aggregate.keeps_equal:
            return Learned(entries, index)
    if index is None:
        index = aggregate.index(registry)
        if entries:
            index.load(entries)
    if not index.has_room(entry):
        return Learned(entries, index if len(entries) >= INDEXED_FROM else None, True)
    index.add(entry, counts)
    entries.insert(place, entry)
    return Learned(entries, index if len(entries) >= INDEXED_FROM else None)
