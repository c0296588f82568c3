"""Adds new entries to a person's history of an aggregate, and returns what they change."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stream.counters.calendar import DAY_MS
from stream.counters.segments import SegmentRegistry
from stream.history.events import Aggregate, Contributions, HistoryEntry, Index
from stream.history.order import EntryOrder
from stream.history.recount import ByGroup, Recount

#: Entries from which the index of a person stays in memory; that of a shorter history is soon built.
INDEXED_FROM = 24


class Learned(NamedTuple):
    """Entries with the new ones, the change of the counts, and the index to keep in memory, if any."""

    entries: list[HistoryEntry]
    change: Contributions
    kept_index: Index | None
    #: Entries that their group has no room for.
    crowded: int = 0


def learn(
    known: list[HistoryEntry],
    new: Iterable[HistoryEntry],
    settled_ms: int,
    aggregate: Aggregate,
    registry: SegmentRegistry,
    index: Index | None = None,
) -> Learned:
    """Add new entries to the known ones; `index` is what the last call returned, if it is at hand.

    No event before `settled_ms` can arrive any more.
    """
    oldest_ms = settled_ms - aggregate.keep_days * DAY_MS
    entries = aggregate.settled(known, oldest_ms, settled_ms, registry)
    if entries is not known:
        index = None
    order = EntryOrder(registry, aggregate.in_order)
    fresh = _fresh(entries, new, aggregate, order)
    if not fresh:
        return Learned(entries, Contributions(), index)
    if index is None:
        index = aggregate.index(registry) or Recount(aggregate, registry)
        index.load(entries)
    number = len(fresh)
    if isinstance(index, ByGroup):
        fresh = index.with_room(fresh)
    change = index.add(fresh) if fresh else Contributions()
    for entry in fresh:
        entries.insert(order.place(entries, entry), entry)
    kept_index = index if len(entries) >= INDEXED_FROM else None
    return Learned(entries, change, kept_index, number - len(fresh))


def _fresh(
    known: Sequence[HistoryEntry],
    new: Iterable[HistoryEntry],
    aggregate: Aggregate,
    order: EntryOrder,
) -> list[HistoryEntry]:
    """Return the new entries that are not known, in order."""
    found = sorted(new, key=order.key)
    if aggregate.keeps_equal:
        return found
    places = [order.place(known, entry) for entry in found]
    found = [
        entry
        for entry, place in zip(found, places, strict=True)
        if place == len(known) or known[place] != entry
    ]
    return [one for number, one in enumerate(found) if not number or found[number - 1] != one]
