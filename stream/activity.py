"""Who was active when: turns a person's newly active days and minutes into counts, a batch at a time."""

from collections import Counter
from collections.abc import Mapping

from stream import measures
from stream.counters import Counters
from stream.marks import FAR, Mark, add_unit, has_unit, neighbours, union, windows_gained
from stream.measures import Grain
from stream.names import Group, Names, Profile
from stream.people import Person

#: Live visitors are people with any event in so many minutes.
LIVE_MINUTES = 5
_ROLLING = ((1, measures.ACTIVE_DAY), (7, measures.ACTIVE_7D), (28, measures.ACTIVE_28D))
#: Distances beyond the longest window count alike, so that equal ones share a counter.
_NEAR_DAYS = 32
_NONE = -1


class Activity:
    """Collects equal marks of a batch and counts each kind once in `flush`."""

    def __init__(self, names: Names, counters: Counters) -> None:
        self._names = names
        self._counters = counters
        #: (group, day, days since the active day before, days to the one after, first day so far)
        self._days: Counter[tuple[Group, int, int, int, int]] = Counter()
        self._minutes: Counter[tuple[Group, int, int, int]] = Counter()
        self._clicks: Counter[tuple[Group, int]] = Counter()

    def mark_day(self, person: Person, profile: Profile, day: int) -> None:
        """A person was active on a day with this profile."""
        active = person.active
        if not has_unit(active.get(profile.id), day):
            for group, mark, first in self._sides(person, profile):
                if not has_unit(mark, day):
                    before, after = neighbours(mark, day)
                    near = (min(before, _NEAR_DAYS), min(after, _NEAR_DAYS))
                    self._days[(group, day, *near, first)] += 1
            active[profile.id] = add_unit(active.get(profile.id), day)
            person.first[profile.id] = min(person.first.get(profile.id, day), day)

    def mark_minute(self, person: Person, profile: Profile, minute: int) -> None:
        """A person had an event in a minute with this profile."""
        live = person.live
        if not has_unit(live.get(profile.id), minute):
            for group, mark in self._combined(live, profile):
                if not has_unit(mark, minute):
                    before, after = neighbours(mark, minute)
                    near = (min(before, LIVE_MINUTES), min(after, LIVE_MINUTES))
                    self._minutes[(group, minute, *near)] += 1
            live[profile.id] = add_unit(live.get(profile.id), minute)

    def mark_click(self, person: Person, profile: Profile, day: int) -> None:
        """A person clicked on content on a day with this profile."""
        if not has_unit(person.clicked.get(profile.id), day):
            for group, mark in self._combined(person.clicked, profile):
                if not has_unit(mark, day):
                    self._clicks[group, day] += 1
            person.clicked[profile.id] = add_unit(person.clicked.get(profile.id), day)

    def flush(self) -> None:
        """Count what has been collected."""
        counters = self._counters
        for (group, day, before, after, first), people in self._days.items():
            self._count_rolling(group, day, before, after, people)
            self._count_periods(group, day, before, after, people)
            self._count_new(group, day, first, people)
        for (group, minute, before, after), people in self._minutes.items():
            start, end = windows_gained(minute, before, after, LIVE_MINUTES)
            counters.add_range(Grain.MINUTE, measures.LIVE_5M, group, start, end, people)
        for (group, day), people in self._clicks.items():
            counters.add_range(Grain.DAY, measures.CLICKERS_DAY, group, day, day, people)
        self._days.clear()
        self._minutes.clear()
        self._clicks.clear()

    def _sides(
        self, person: Person, profile: Profile
    ) -> list[tuple[Group, Mark | None, int]]:
        """Each group to count in, with the person's active days and first day in it."""
        active = person.active
        if not active:
            return [(profile, None, _NONE)]
        if len(active) == 1 and profile.id in active:
            # The usual case: one profile, and so the same days in each of its segments.
            return [(profile, active[profile.id], person.first[profile.id])]
        sides: list[tuple[Group, Mark | None, int]] = []
        for segment, ids in self._holders(active, profile):
            first = min((person.first[i] for i in ids), default=_NONE)
            sides.append((segment, union(active[i] for i in ids), first))
        return sides

    def _combined(
        self, marks: Mapping[int, Mark], profile: Profile
    ) -> list[tuple[Group, Mark | None]]:
        """Each group to count in, with the person's units in it."""
        if not marks or (len(marks) == 1 and profile.id in marks):
            return [(profile, marks.get(profile.id))]
        return [
            (segment, union(marks[i] for i in ids))
            for segment, ids in self._holders(marks, profile)
        ]

    def _holders(
        self, marks: Mapping[int, Mark], profile: Profile
    ) -> list[tuple[Group, list[int]]]:
        """For each segment of the profile, those of the person's profiles that are part of it."""
        parts = {i: self._names.by_id(i).segments for i in marks}
        return [
            (segment, [i for i, segments in parts.items() if segment in segments])
            for segment in profile.segments
        ]

    def _count_rolling(self, group: Group, day: int, before: int, after: int, people: int) -> None:
        for length, measure in _ROLLING:
            start, end = windows_gained(day, before, after, length)
            self._counters.add_range(Grain.DAY, measure, group, start, end, people)

    def _count_periods(self, group: Group, day: int, before: int, after: int, people: int) -> None:
        """Calendar weeks and months, kept in the bucket of their first day."""
        calendar = group.calendar
        week, month = calendar.week_of(day), calendar.month_of(day)
        for measure, start, end in (
            (measures.ACTIVE_WEEK, week, week + 6),
            (measures.ACTIVE_MONTH, month, calendar.next_month(day) - 1),
        ):
            if day - before < start and day + after > end:
                self._counters.add_range(Grain.DAY, measure, group, start, start, people)

    def _count_new(self, group: Group, day: int, first: int, people: int) -> None:
        """First ever seen; an older event moves the person to its own day, week and month."""
        if first == _NONE:
            self._counters.add_at(Grain.ALL, 0, group.series(measures.NEW_ALL), people)
        elif day < first:
            self._add_new(group, first, -people)
        else:
            return
        self._add_new(group, day, people)

    def _add_new(self, group: Group, day: int, people: int) -> None:
        calendar = group.calendar
        for measure, start in (
            (measures.NEW_DAY, day),
            (measures.NEW_WEEK, calendar.week_of(day)),
            (measures.NEW_MONTH, calendar.month_of(day)),
        ):
            self._counters.add_range(Grain.DAY, measure, group, start, start, people)


assert FAR > _NEAR_DAYS
