"""First days by each newcomer's own clock: their day 1 begins 24 hours after the hour of their first event."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.events import Event
from stream.counters.calendar import HOUR_MS
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry, SegmentSet
from stream.history.events import Contributions, HistoryEntry
from stream.people.newcomers import Activation
from stream.people.person import Person

_DAY_HOURS = 24


@dataclass(frozen=True, slots=True)
class FirstHours(Activation):
    """In which of their first days newcomers were active, or how often they did what is chosen.

    Hours are those of the epoch, as Amplitude floors them; the cohort is that of the calendar day of
    the first event. Kept are the hours with an active event, each with its calendar day, and the
    chosen events one by one.
    """

    #: On how many of their first days they were active.
    days_measure: str

    @property
    def reach_days(self) -> int:
        """The last of the first days ends a calendar day later, but for those of midnight."""
        return self.days + 1

    def entries_of(self, event: Event, segment_set: SegmentSet, time_ms: int) -> list[HistoryEntry]:
        """The hour, and the event if it is chosen."""
        hour_ms, day = time_ms // HOUR_MS * HOUR_MS, segment_set.calendar.day_of(time_ms)
        return [(hour_ms, segment_set.id, day), *self.chosen(event, segment_set, time_ms)]

    def contributions(
        self, person: Person, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """The person once, and each of their active days, in each segment in which they are known."""
        hours: dict[int, list[tuple[int, int]]] = {}
        chosen: dict[int, list[int]] = {}
        for time_ms, segment_set_id, what in history:
            hour = time_ms // HOUR_MS
            for segment_id in registry.by_id(segment_set_id).segment_ids:
                if isinstance(what, int):
                    hours.setdefault(segment_id, []).append((hour, what))
                else:
                    chosen.setdefault(segment_id, []).append(hour)
        counts: Contributions = Counter()
        for mark, ids in person.active.items() if hours else ():
            first_day = mark[2]
            for segment_id in ids:
                theirs = hours.get(segment_id, [])
                first = min((hour for hour, day in theirs if day == first_day), default=None)
                if first is None:
                    continue  # Their first days are long over.
                segment = registry.segment(segment_id)
                ages = {(hour - first) // _DAY_HOURS for hour, _ in theirs} & {*range(self.days)}
                did = len(ages - {0})
                if self.kind:
                    ends = first + self.days * _DAY_HOURS
                    did = sum(first <= hour < ends for hour in chosen.get(segment_id, ()))
                counts[self.measure, segment, Grain.DAY, first_day] += did >= self.least
                counts[self.days_measure, segment, Grain.DAY, first_day] += len(ages)
        return counts
