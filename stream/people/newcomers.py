"""Activation: which newcomers do something chosen often enough in their first days.

It joins two things that a person is known by: the first active day in each segment, which a late event
may move, and the chosen events near it. What both amount to is counted as a difference.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.events import Event
from stream.counters.calendar import DAY_MS
from stream.counters.measures import Grain
from stream.counters.segments import Names, Profile
from stream.counters.table import Counters
from stream.history.event_filter import Predicate
from stream.history.events import FACTS_MAX, Contributions, Fact
from stream.people.person import Person
from stream.sessions.session import sid_digest

_NONE: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True)
class Activation:
    """What is chosen, how often it must be done, and in how many first days."""

    #: What is counted, and under which name a person's events are kept.
    measure: str
    #: The type of what is chosen; empty: nothing is.
    kind: str
    test: Predicate
    days: int
    least: int

    @property
    def reach_days(self) -> int:
        """So many days after the first one began nothing more is of the first days."""
        return self.days

    def counted(self, person: Person, names: Names) -> Contributions:
        """What the events that are kept of a person amount to."""
        return self.contributions(person, person.facts.get(self.measure, _NONE), names)

    def learn(
        self,
        person: Person,
        profile: Profile,
        event: Event,
        time_ms: int,
        settled_ms: int,
        names: Names,
    ) -> tuple[Contributions, bool]:
        """Keep what matters of an event whose day is marked; (the change of the counts, whether capped).

        No event before `settled_ms` (epoch ms) can arrive any more.
        """
        new = self.facts_of(event, profile, time_ms)
        if not new or not self._is_early(person, profile, time_ms):
            return Counter(), False
        # Events from before are of people whose first days are over: no later event is in them.
        oldest_ms = settled_ms - (self.reach_days + 1) * DAY_MS
        facts = [f for f in person.facts.get(self.measure, _NONE) if f[0] >= oldest_ms]
        fresh = [fact for fact in new if fact not in facts]
        change: Contributions = Counter()
        capped = len(facts) + len(fresh) > FACTS_MAX
        if fresh and not capped:
            before = self.contributions(person, facts, names)
            facts += fresh
            change = self.contributions(person, facts, names)
            change.subtract(before)
        person.facts = {**person.facts, self.measure: facts}
        return change, capped

    def facts_of(self, event: Event, profile: Profile, time_ms: int) -> list[Fact]:
        """What is kept of an event; empty: nothing."""
        return self.chosen(event, profile, time_ms)

    def chosen(self, event: Event, profile: Profile, time_ms: int) -> list[Fact]:
        """The event, if it is what newcomers should do."""
        if not self.kind or event.__struct_config__.tag != self.kind or not self.test(event):
            return []
        return [(time_ms, profile.id, sid_digest(event.event_id))]

    def _is_early(self, person: Person, profile: Profile, time_ms: int) -> bool:
        """Whether it is in the first days of any segment; an earlier first day would be farther."""
        day = profile.calendar.day_of(time_ms)
        firsts = (mark[2] for mark, ids in person.active.items() if {*ids} & {*profile.segment_ids})
        return any(day < first + self.reach_days for first in firsts)

    def contributions(self, person: Person, facts: Sequence[Fact], names: Names) -> Contributions:
        """The person once in each segment in whose first days they did it often enough."""
        days: dict[int, list[int]] = {}
        for time_ms, profile_id, _ in facts:
            for segment in names.by_id(profile_id).segments:
                days.setdefault(segment.id, []).append(segment.calendar.day_of(time_ms))
        counts: Contributions = Counter()
        for mark, ids in person.active.items() if days else ():
            first = mark[2]
            for segment_id in ids:
                done = sum(first <= day < first + self.days for day in days.get(segment_id, ()))
                if done >= self.least:
                    counts[self.measure, names.segment(segment_id), Grain.DAY, first] += 1
        return counts


def count_change(counters: Counters, before: Contributions, after: Contributions) -> None:
    """Count the difference."""
    after.subtract(before)
    for (measure, segment, grain, index), count in after.items():
        if count:
            counters.add_in(grain, index, measure, segment, count)
