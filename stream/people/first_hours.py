"""First days by each newcomer's own clock: day 1 begins 24 hours after the hour of the first event."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.events import Event
from stream.counters.calendar import HOUR_MS, Calendar
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry, SegmentSet
from stream.history.contributions import Expanded
from stream.history.events import HistoryEntry
from stream.people.newcomers import Activation, is_chosen
from stream.people.person import Person

_DAY_HOURS = 24


@dataclass(frozen=True, slots=True)
class FirstHours(Activation):
    """Newcomers by their activity in their first days, or by how often they did the chosen event.

    Hours are floored from the epoch, as Amplitude does. The cohort is the calendar day of the first
    event. The history keeps hours with an active event, with their calendar day, and chosen events.
    """

    #: Measure of the number of active first days.
    days_measure: str

    @property
    def reach_days(self) -> int:
        """Days after the first one; the last of them reaches into one more calendar day."""
        return self.days + 1

    def entries_of(self, event: Event, segment_set: SegmentSet, time_ms: int) -> list[HistoryEntry]:
        """Return the entries of an event: its hour, and the event itself if it is chosen."""
        hour_ms, day = time_ms // HOUR_MS * HOUR_MS, segment_set.calendar.day_of(time_ms)
        return [(hour_ms, segment_set.id, day), *self.chosen(event, segment_set, time_ms)]

    def unit_of(self, time_ms: int, calendar: Calendar) -> int:  # noqa: ARG002
        """Return the unit of time in which an instant counts: its hour, from the epoch."""
        return time_ms // HOUR_MS

    def contributions(
        self, person: Person, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Expanded:
        """Count the person and their active days, in each segment with a known first day."""
        hours: dict[int, list[tuple[int, int]]] = {}
        chosen: dict[int, list[int]] = {}
        for entry in history:
            hour = entry[0] // HOUR_MS
            for segment_id in registry.by_id(entry[1]).segment_ids:
                if not is_chosen(entry):
                    hours.setdefault(segment_id, []).append((hour, entry[2]))
                else:
                    chosen.setdefault(segment_id, []).append(hour)
        counts: Expanded = Counter()
        for bitmap, ids in person.active.items() if hours else ():
            first_day = bitmap[2]
            for segment_id in ids:
                in_segment = hours.get(segment_id, [])
                first = min((hour for hour, day in in_segment if day == first_day), default=None)
                if first is None:
                    continue  # The first days are over and their hours forgotten.
                segment = registry.segment(segment_id)
                ages = {(hour - first) // _DAY_HOURS for hour, _ in in_segment} & {
                    *range(self.days)
                }
                did = len(ages - {0})
                if self.kind:
                    ends = first + self.days * _DAY_HOURS
                    did = sum(first <= hour < ends for hour in chosen.get(segment_id, ()))
                counts[self.measure, segment, Grain.DAY, first_day] += did >= self.min_events
                counts[self.days_measure, segment, Grain.DAY, first_day] += len(ages)
        return counts
