"""Activation: newcomers who do a chosen event often enough in their first days.

It combines the first active day in each segment, which a late event may move, with the chosen events
near it. A change of either counts the difference.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.events import Event
from stream.counters.calendar import DAY_MS, Calendar
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry, SegmentSet
from stream.counters.table import Counters
from stream.history.contributions import Expanded
from stream.history.event_filter import Predicate
from stream.history.events import HistoryEntry
from stream.people.person import Person
from stream.sessions.session import sid_digest

_NONE: Sequence[HistoryEntry] = ()


@dataclass(frozen=True, slots=True)
class Activation:
    """The chosen event, how often it must occur, and in how many first days."""

    #: The measure, and the key of the events in the person history.
    measure: str
    #: Type of the chosen event; empty: none is chosen.
    kind: str
    test: Predicate
    days: int
    #: first_week.min_events
    min_events: int

    @property
    def reach_days(self) -> int:
        """Days after a person's first day within which events still count."""
        return self.days

    def counted(self, person: Person, registry: SegmentRegistry) -> Expanded:
        """Return the counts of a person's kept events."""
        return self.contributions(person, person.history.get(self.measure, _NONE), registry)

    def learn(
        self,
        person: Person,
        segment_set: SegmentSet,
        event: Event,
        time_ms: int,
        settled_ms: int,
        registry: SegmentRegistry,
    ) -> Expanded:
        """Add an event, whose day is marked, to the history; return the change of the counts.

        No event before `settled_ms` (epoch ms) can arrive any more.
        """
        new = self.entries_of(event, segment_set, time_ms)
        if not new or not self._is_early(person, segment_set, time_ms):
            return Counter()
        # Older entries belong to first days that are over: no later event can be in them.
        oldest_ms = settled_ms - (self.reach_days + 1) * DAY_MS
        history = [f for f in person.history.get(self.measure, _NONE) if f[0] >= oldest_ms]
        fresh = [entry for entry in new if self._is_new(entry, history, segment_set.calendar)]
        change: Expanded = Counter()
        if fresh:
            before = self.contributions(person, history, registry)
            history += fresh
            change = self.contributions(person, history, registry)
            change.subtract(before)
        person.history = {**person.history, self.measure: history}
        return change

    def _is_new(
        self, entry: HistoryEntry, known: Sequence[HistoryEntry], calendar: Calendar
    ) -> bool:
        """Return whether an entry can change a count: of one unit, `min_events` chosen events are enough."""
        if entry in known:
            return False
        if not is_chosen(entry):
            return True
        unit = self.unit_of(entry[0], calendar)
        alike = [
            one
            for one in known
            if one[1] == entry[1] and is_chosen(one) and self.unit_of(one[0], calendar) == unit
        ]
        return len(alike) < self.min_events

    def unit_of(self, time_ms: int, calendar: Calendar) -> int:
        """Return the unit of time in which an instant counts: its day."""
        return calendar.day_of(time_ms)

    def entries_of(self, event: Event, segment_set: SegmentSet, time_ms: int) -> list[HistoryEntry]:
        """Return the entries to keep of an event."""
        return self.chosen(event, segment_set, time_ms)

    def chosen(self, event: Event, segment_set: SegmentSet, time_ms: int) -> list[HistoryEntry]:
        """Return the entry of a chosen event; nothing for others."""
        if not self.kind or event.__struct_config__.tag != self.kind or not self.test(event):
            return []
        return [(time_ms, segment_set.id, sid_digest(event.event_id))]

    def _is_early(self, person: Person, segment_set: SegmentSet, time_ms: int) -> bool:
        """Return whether an instant is in the first days of any segment. An earlier first day is farther away."""
        day = segment_set.calendar.day_of(time_ms)
        firsts = (
            bitmap[2]
            for bitmap, ids in person.active.items()
            if {*ids} & {*segment_set.segment_ids}
        )
        return any(day < first + self.reach_days for first in firsts)

    def contributions(
        self, person: Person, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Expanded:
        """Count the person in each segment in which the chosen event came often enough."""
        days: dict[int, list[int]] = {}
        for time_ms, segment_set_id, _ in history:
            for segment in registry.by_id(segment_set_id).segments:
                days.setdefault(segment.id, []).append(segment.calendar.day_of(time_ms))
        counts: Expanded = Counter()
        for bitmap, ids in person.active.items() if days else ():
            first = bitmap[2]
            for segment_id in ids:
                done = sum(first <= day < first + self.days for day in days.get(segment_id, ()))
                if done >= self.min_events:
                    counts[self.measure, registry.segment(segment_id), Grain.DAY, first] += 1
        return counts


def is_chosen(entry: HistoryEntry) -> bool:
    """Return whether an entry is a chosen event, which keeps its digest, and no active hour."""
    return isinstance(entry[2], bytes)


def count_change(counters: Counters, before: Expanded, after: Expanded) -> None:
    """Count the difference between two contributions."""
    after.subtract(before)
    for (measure, segment, grain, index), count in after.items():
        if count:
            counters.add_in(grain, index, measure, segment, count)
