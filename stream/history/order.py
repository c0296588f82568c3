"""The order of a person's entries: by time, and at one instant the same in every shard."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from stream.counters.segments import SegmentRegistry
from stream.history.events import FieldsKey, HistoryEntry


class EntryOrder:
    """Sorts entries by time, then by their fields, then by the segments of their segment sets."""

    __slots__ = ("_fields", "_registry")

    def __init__(self, registry: SegmentRegistry, fields: FieldsKey) -> None:
        self._registry = registry
        self._fields = fields

    def key(self, entry: HistoryEntry) -> tuple[Any, ...]:
        """Return the sort key of an entry."""
        # Ids of segment sets differ between shards; their order does not.
        return entry[0], self._fields(entry), self._registry.by_id(entry[1]).order

    def place(self, entries: Sequence[HistoryEntry], entry: HistoryEntry) -> int:
        """Return the place of an entry in sorted entries: before those that are equal to it."""
        if not entries or entries[-1][0] < entry[0]:
            return len(entries)  # Most come in time order.
        return bisect_left(entries, self.key(entry), key=self.key)
