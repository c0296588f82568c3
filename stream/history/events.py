"""Facts: what is kept of a person's rarer events, and the counts that the set of them amounts to.

A theme says what of an event is kept and what counts a person's facts, taken together, amount to. A new
fact counts the difference, so that late, reordered and repeated events end in the same numbers.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from stream.counters.calendar import DAY_MS, MINUTE_MS
from stream.counters.measures import Grain
from stream.counters.segments import Names, Segment
from stream.people.active_days import windows_gained

#: (epoch ms of the event, id of its profile, what the theme keeps of it: numbers, texts, None, bytes)
Fact = tuple[Any, ...]
#: (measure, segment, grain, bucket index) → count
Contributions = Counter[tuple[str, Segment, Grain, int]]
#: Facts of one person and theme beyond this are forgotten, the oldest first; that is counted.
FACTS_MAX = 1_000
#: Farther than any window is long.
_FAR = 1_000


class Theme(Protocol):
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

    def fact(self, event: Any) -> Sequence[Any] | None:
        """What is kept of an event, beside its time and profile; None when it says nothing."""

    def contributions(self, facts: Sequence[Fact], names: Names) -> Contributions:
        """Everything that one person's facts, sorted by time, add to the counters."""


class Daily:
    """A theme to which only the day of an event matters: what is alike on a day is one fact."""


class Condensed:
    """A theme of frequent events, which looks at what it keeps once more to keep less."""

    def settled(
        self, facts: Sequence[Fact], oldest_ms: int, settled_ms: int, names: Names
    ) -> list[Fact]:
        """The facts less what cannot matter: older than `oldest_ms`, or not since `settled_ms`.

        No event before `settled_ms` can arrive any more. A fact may be put in the place of many: at
        a negative time, which sorts it first and which no event has.
        """
        raise NotImplementedError

    def summary(self, facts: Sequence[Fact], names: Names) -> object:
        """Equal for facts that amount to the same contributions, and less work than these."""
        raise NotImplementedError


class Tally(Protocol):
    """What an event counts by itself, whoever it is of."""

    @property
    def types(self) -> Collection[str]:
        """Tags of the event types that it looks at."""

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """(measure, count) pairs, for the event's profile and its sides."""

    def sides(self, event: Any) -> Iterable[tuple[str, str]]:
        """(dimension, value) pairs of its own, beyond the dimensions of the context."""


def learn(
    known: Sequence[Fact], new: Fact, settled_ms: int, theme: Theme, names: Names
) -> tuple[list[Fact], Contributions, bool]:
    """(the facts with the new one, what that changes, whether some had to be forgotten).

    No event before `settled_ms` can arrive any more.
    """
    oldest_ms = settled_ms - theme.keep_days * DAY_MS
    if isinstance(theme, Condensed):
        before = theme.settled(known, oldest_ms, settled_ms, names)
    else:
        before = [fact for fact in known if fact[0] >= oldest_ms]
    if new in before:
        return before, Counter(), False
    capped = len(before) >= FACTS_MAX
    if capped:
        lasting = [fact for fact in before if fact[0] < 0]
        before = [*lasting, *before[-FACTS_MAX // 2 :]]

    def in_order(fact: Fact) -> tuple[int, str, object]:
        # Profiles have other numbers in other shards; what they say is the same.
        return fact[0], repr(fact[2:]), names.by_id(fact[1]).order

    after = sorted([*before, new], key=in_order)
    if isinstance(theme, Condensed) and theme.summary(after, names) == theme.summary(before, names):
        return after, Counter(), capped
    change = theme.contributions(after, names)
    change.subtract(theme.contributions(before, names))
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
