"""Person history: the stored entries of rarer events, and the counts they contribute.

An aggregate decides which part of an event is stored, and which counts a person's entries
contribute together. A new entry counts only the difference, so that late, reordered and repeated
events end in the same numbers.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from stream.counters.calendar import DAY_MS, MINUTE_MS, Calendar
from stream.counters.measures import Grain
from stream.counters.segments import Segment, SegmentRegistry
from stream.people.active_days import windows_gained

#: (epoch ms of the event, id of its segment set, the aggregate's fields: numbers, texts, None,
#: bytes)
HistoryEntry = tuple[Any, ...]
#: (measure, segment, grain, bucket index) → count
Contributions = Counter[tuple[str, Segment, Grain, int]]
#: Maximum number of entries of one person and aggregate; beyond it, the oldest are dropped and
#: counted.
HISTORY_MAX = 1_000
#: Longer than any window.
_FAR = 1_000


class Aggregate:
    """Counts of some event types that depend on a person's other events of these types."""

    #: Storage name of the entries: short, and never changed.
    name: str
    #: Tags of the event types that it reads.
    types: Collection[str]
    #: Days for which an entry can matter to a later one, beyond the allowed lateness.
    keep_days: int

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Return the fields to store of an event, beside its time and segment set; None: nothing to store."""
        raise NotImplementedError

    def contributions(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """Return all counts that a person's entries, sorted by time, contribute."""
        raise NotImplementedError

    def entry_ms(self, time_ms: int, calendar: Calendar) -> int:
        """Return the time under which an event is stored."""
        return time_ms

    def settled(
        self,
        history: Sequence[HistoryEntry],
        oldest_ms: int,
        settled_ms: int,
        registry: SegmentRegistry,
    ) -> list[HistoryEntry]:
        """Return the entries that can still matter, from `oldest_ms` on.

        No event before `settled_ms` can arrive any more.
        """
        return [entry for entry in history if entry[0] >= oldest_ms]

    def is_unchanged(
        self,
        before: Sequence[HistoryEntry],
        after: Sequence[HistoryEntry],
        registry: SegmentRegistry,
    ) -> bool:
        """Whether both are known to contribute the same, without computing it."""
        return False


class Daily(Aggregate):
    """Aggregate in which only the day of an event matters: equal events of a day are one entry."""

    def entry_ms(self, time_ms: int, calendar: Calendar) -> int:
        """Return the first instant of the event's day."""
        return calendar.day_start_ms(calendar.day_of(time_ms))


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


def learn(
    known: Sequence[HistoryEntry],
    new: HistoryEntry,
    settled_ms: int,
    aggregate: Aggregate,
    registry: SegmentRegistry,
) -> tuple[list[HistoryEntry], Contributions, bool]:
    """Return (the entries with the new one, the change of the counts, whether entries were dropped).

    No event before `settled_ms` can arrive any more.
    """
    oldest_ms = settled_ms - aggregate.keep_days * DAY_MS
    before = aggregate.settled(known, oldest_ms, settled_ms, registry)
    if new in before:
        return before, Counter(), False
    capped = len(before) >= HISTORY_MAX
    if capped:
        lasting = [entry for entry in before if entry[0] < 0]
        before = [*lasting, *before[-HISTORY_MAX // 2 :]]

    def in_order(entry: HistoryEntry) -> tuple[int, str, object]:
        # Ids of segment sets differ between shards; their order does not.
        return entry[0], repr(entry[2:]), registry.by_id(entry[1]).order

    after = sorted([*before, new], key=in_order)
    if aggregate.is_unchanged(before, after, registry):
        return after, Counter(), capped
    change = aggregate.contributions(after, registry)
    change.subtract(aggregate.contributions(before, registry))
    return after, change, capped


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


def distinct(
    counts: Contributions, measures: Mapping[int, str], segment: Segment, days: Iterable[int]
) -> None:
    """Count a person, active on these days, once in each rolling window: length in days → measure.

    A window is counted on the day on which it ends; `AtEnd` reads it.
    """
    ordered = sorted(set(days))
    for length, measure in measures.items():
        before = _FAR
        for number, day in enumerate(ordered):
            first, last = windows_gained(day, before, _FAR, length)
            for end in range(first, last + 1):
                counts[measure, segment, Grain.DAY, end] += 1
            if number + 1 < len(ordered):
                before = ordered[number + 1] - day
