"""Facts: what is kept of a person's rarer events, and the counts that the set of them amounts to.

A theme says what of an event is kept and what counts a person's facts, taken together, amount to. A new
fact counts the difference, so that late, reordered and repeated events end in the same numbers.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from stream.counters.calendar import DAY_MS, MINUTE_MS
from stream.counters.measures import Grain
from stream.counters.segments import Segment, SegmentRegistry
from stream.people.active_days import windows_gained

#: (epoch ms of the event, id of its profile, what the theme keeps of it: numbers, texts, None, bytes)
HistoryEntry = tuple[Any, ...]
#: (measure, segment, grain, bucket index) → count
Contributions = Counter[tuple[str, Segment, Grain, int]]
#: Facts of one person and theme beyond this are forgotten, the oldest first; that is counted.
HISTORY_MAX = 1_000
#: Farther than any window is long.
_FAR = 1_000


class Aggregate(Protocol):
    """What some types of events add beyond what every event does, person by person."""

    @property
    def name(self) -> str:
        """Under which a person's facts are stored: short, and never changed."""

    @property
    def types(self) -> Collection[str]:
        """Tags of the event types that it looks at."""

    @property
    def keep_days(self) -> int:
        """How long a fact can still matter to a later one, beyond the lateness that is allowed."""

    def entry(self, event: Any) -> Sequence[Any] | None:
        """What is kept of an event, beside its time and profile; None when it says nothing."""

    def contributions(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """Everything that one person's facts, sorted by time, add to the counters."""


class Daily:
    """A theme to which only the day of an event matters: what is alike on a day is one fact."""


class Condensed:
    """A theme of frequent events, which looks at what it keeps once more to keep less."""

    def settled(
        self,
        history: Sequence[HistoryEntry],
        oldest_ms: int,
        settled_ms: int,
        registry: SegmentRegistry,
    ) -> list[HistoryEntry]:
        """The facts less what cannot matter: older than `oldest_ms`, or not since `settled_ms`.

        No event before `settled_ms` can arrive any more. A fact may be put in the place of many: at
        a negative time, which sorts it first and which no event has.
        """
        raise NotImplementedError

    def summary(self, history: Sequence[HistoryEntry], registry: SegmentRegistry) -> object:
        """Equal for facts that amount to the same contributions, and less work than these."""
        raise NotImplementedError


class EventCounter(Protocol):
    """What an event counts by itself, whoever it is of."""

    @property
    def types(self) -> Collection[str]:
        """Tags of the event types that it looks at."""

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """(measure, count) pairs, for the event's profile and its sides."""

    def own_segments(self, event: Any) -> Iterable[tuple[str, str]]:
        """(dimension, value) pairs of its own, beyond the dimensions of the context."""


def learn(
    known: Sequence[HistoryEntry],
    new: HistoryEntry,
    settled_ms: int,
    aggregate: Aggregate,
    registry: SegmentRegistry,
) -> tuple[list[HistoryEntry], Contributions, bool]:
    """(the facts with the new one, what that changes, whether some had to be forgotten).

    No event before `settled_ms` can arrive any more.
    """
    oldest_ms = settled_ms - aggregate.keep_days * DAY_MS
    if isinstance(aggregate, Condensed):
        before = aggregate.settled(known, oldest_ms, settled_ms, registry)
    else:
        before = [entry for entry in known if entry[0] >= oldest_ms]
    if new in before:
        return before, Counter(), False
    capped = len(before) >= HISTORY_MAX
    if capped:
        lasting = [entry for entry in before if entry[0] < 0]
        before = [*lasting, *before[-HISTORY_MAX // 2 :]]

    def in_order(entry: HistoryEntry) -> tuple[int, str, object]:
        # Profiles have other numbers in other shards; what they say is the same.
        return entry[0], repr(entry[2:]), registry.by_id(entry[1]).order

    after = sorted([*before, new], key=in_order)
    if isinstance(aggregate, Condensed) and aggregate.summary(after, registry) == aggregate.summary(
        before, registry
    ):
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
    """Count on a day (its ordinal)."""
    counts[measure, segment, Grain.DAY, day] += count


def distinct(
    counts: Contributions, measures: Mapping[int, str], segment: Segment, days: Iterable[int]
) -> None:
    """Count a person, seen on these days, once in each rolling window: length in days → measure.

    A window is counted on the day on which it ends (read it with `AtEnd`).
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
