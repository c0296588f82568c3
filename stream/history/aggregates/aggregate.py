"""Aggregate: which part of an event is stored, and which index counts a person's entries."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry
from stream.history.contributions import Contributions, Expanded
from stream.history.events import HistoryEntry, Index, entries_over


class Aggregate:
    """Counts of some event types that depend on a person's other events of these types."""

    #: Storage name of the entries: short, and never changed.
    name: str
    #: Tags of the event types that it reads.
    types: Collection[str]
    #: Days for which an entry can matter to a later one, beyond the allowed lateness.
    keep_days: int
    #: Whether events with equal fields at one instant are several entries.
    keeps_equal: bool = False
    #: Whether `settled` also drops entries from `settled_ms` on.
    condenses: bool = False
    #: Whether events are stored under another time than their own.
    shifts_time: bool = False

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Return the fields to store of an event, beside its time and segment set; None: nothing to store."""
        raise NotImplementedError

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an empty index of one person."""
        raise NotImplementedError

    def contributions(self, history: Iterable[HistoryEntry], registry: SegmentRegistry) -> Expanded:
        """Return all counts that a person's entries, sorted by time, contribute."""
        index, counts = self.index(registry), Contributions()
        for entry in history:
            index.add(entry, counts)
        return counts.expanded()

    def in_order(self, entry: HistoryEntry) -> Any:
        """Return what sorts the fields of entries at one instant."""
        return repr(entry[2:])

    def entry_ms(self, time_ms: int, calendar: Calendar) -> int:
        """Return the time under which an event is stored."""
        return time_ms

    def settled(
        self,
        history: list[HistoryEntry],
        oldest_ms: int,
        settled_ms: int,
        registry: SegmentRegistry,
    ) -> list[HistoryEntry]:
        """Return the entries that can still matter, at least those from `oldest_ms` on; `history` itself if all do.

        No event before `settled_ms` can arrive any more.
        """
        over = entries_over(history, oldest_ms)
        return history[over:] if over else history


class EventCounter(Protocol):
    """Counts of an event that are independent of any other event."""

    @property
    def types(self) -> Collection[str]:
        """Tags of the event types that it reads."""

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """Return (measure, count) pairs, for the event's segment set and its own segments."""

    def own_segments(self, event: Any) -> Iterable[tuple[str, str]]:
        """Return the event's own (dimension, value) pairs, beyond the dimensions of the context."""
