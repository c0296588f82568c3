"""Person history: the stored entries of rarer events, and the counts they contribute.

An aggregate decides which part of an event is stored, and which counts a person's entries
contribute together. A new entry counts only the difference, so that late, reordered and repeated
events end in the same numbers.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from stream.counters.calendar import MINUTE_MS, Calendar
from stream.counters.measures import Grain
from stream.counters.segments import Segment, SegmentRegistry

#: (epoch ms of the event, id of its segment set, the aggregate's fields: numbers, texts, None,
#: bytes)
HistoryEntry = tuple[Any, ...]
#: (measure, segment, grain, bucket index) → count
Contributions = Counter[tuple[str, Segment, Grain, int]]
#: Most entries of one person and aggregate. A further event is refused, with a dead letter.
HISTORY_MAX = 50_000
#: Entries from which forgotten ones are dropped many at a time: that is cheaper than one by one.
_MANY = 64


class Index(Protocol):
    """Contributions of a person's entries of one aggregate, kept up to date entry by entry.

    It is built anew from the stored entries; that of a long history stays in memory.
    """

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries, sorted by time. Called once, before `add`."""

    def add(self, new: Sequence[HistoryEntry]) -> Contributions:
        """Take in new entries, sorted by time, and return the change of the counts."""


class Aggregate:
    """Counts of some event types that depend on a person's other events of these types.

    It gives an index, or `contributions`, which are counted anew for each entry.
    """

    #: Storage name of the entries: short, and never changed.
    name: str
    #: Tags of the event types that it reads.
    types: Collection[str]
    #: Days for which an entry can matter to a later one, beyond the allowed lateness.
    keep_days: int
    #: Whether events with equal fields at one instant are several entries.
    keeps_equal: bool = False

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Return the fields to store of an event, beside its time and segment set; None: nothing to store."""
        raise NotImplementedError

    def contributions(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """Return all counts that a person's entries, sorted by time, contribute."""
        index = self.index(registry)
        if index is None:
            raise NotImplementedError
        return index.add(history)

    def index(self, registry: SegmentRegistry) -> Index | None:
        """Return an empty index of one person; None: `contributions` are counted anew."""
        return None

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

    def is_unchanged(
        self,
        before: Sequence[HistoryEntry],
        after: Sequence[HistoryEntry],
        registry: SegmentRegistry,
    ) -> bool:
        """Whether both are known to contribute the same, without computing it."""
        return False


class Condensed(Aggregate):
    """Aggregate of frequent events that reduces its stored entries.

    `settled` also drops entries that do not matter since `settled_ms`. One entry may replace many: its
    time is negative, which sorts it first and which no event has.
    """

    def summary(self, history: Sequence[HistoryEntry], registry: SegmentRegistry) -> object:
        """Return a value that is equal for entries with equal contributions, and cheaper than these."""
        raise NotImplementedError

    def is_unchanged(
        self,
        before: Sequence[HistoryEntry],
        after: Sequence[HistoryEntry],
        registry: SegmentRegistry,
    ) -> bool:
        """Whether both have the same summary."""
        return self.summary(after, registry) == self.summary(before, registry)


class EventCounter(Protocol):
    """Counts of an event that are independent of any other event."""

    @property
    def types(self) -> Collection[str]:
        """Tags of the event types that it reads."""

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """Return (measure, count) pairs, for the event's segment set and its own segments."""

    def own_segments(self, event: Any) -> Iterable[tuple[str, str]]:
        """Return the event's own (dimension, value) pairs, beyond the dimensions of the context."""


def entries_over(history: Sequence[HistoryEntry], oldest_ms: int) -> int:
    """Return how many entries before `oldest_ms` to drop: of a long history none, until it is worth it."""
    over = bisect_left(history, oldest_ms, key=_time_of)
    return over if len(history) < _MANY or over >= len(history) // 4 else 0


def _time_of(entry: HistoryEntry) -> int:
    return int(entry[0])


def at(counts: Contributions, measure: str, segment: Segment, time_ms: int, count: int = 1) -> None:
    """Count at an instant, in the buckets of every grain."""
    day, hour = segment.calendar.slot(time_ms)
    for grain, index in (
        (Grain.MINUTE, time_ms // MINUTE_MS), (Grain.HOUR, hour), (Grain.DAY, day), (Grain.ALL, 0),
    ):  # fmt: skip
        counts[measure, segment, grain, index] += count


def on(counts: Contributions, measure: str, segment: Segment, day: int, count: int = 1) -> None:
    """Count on a day, given as an ordinal."""
    counts[measure, segment, Grain.DAY, day] += count
