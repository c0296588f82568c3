"""Retention triangles of a report: how many people of each period return in each later one."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from schemas.codec import epoch_ms
from schemas.outputs import MetricRecord, WindowKind
from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry
from stream.counters.windows import Span, ending
from stream.history.event_filter import predicate
from stream.people.keys import split_key
from stream.people.person import Person
from stream.settings.application import Settings
from stream.settings.definitions import Selection

Cohort = Literal["first_time", "recurring"]
KINDS: tuple[WindowKind, ...] = ("day", "week", "month")
#: Dimension with the number of periods since the cohort's own.
PERIOD = "period"
#: Person → days (ordinals) with an event that counts.
Days = Mapping[str, Collection[int]]


class DaysOf:
    """Event counter that collects the days of each person's selected events, and counts nothing."""

    def __init__(self, settings: Settings, selection: Selection) -> None:
        self.types = (selection.type,)
        self.days: dict[str, dict[str, set[int]]] = {}
        self._is_selected = predicate(selection, settings.pages)
        self._by_user = settings.identity == "user"
        self._calendars: dict[str, Calendar] = {}
        self._settings = settings

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """Note the event's person and day; return no counts."""
        user, visitor = event.user_id, event.visitor_id
        who = (user or visitor) if self._by_user else (visitor or user)
        if who is not None and self._is_selected(event):
            day = self._calendar(event.site).day_of(epoch_ms(event.event_time))
            self.days.setdefault(event.site, {}).setdefault(who, set()).add(day)
        return ()

    def own_segments(self, _event: Any) -> Iterable[tuple[str, str]]:
        """Return no segments."""
        return ()

    def _calendar(self, site: str) -> Calendar:
        found = self._calendars.get(site)
        if found is None:
            found = self._calendars[site] = Calendar(
                self._settings.timezone_of(site), self._settings.week_start_of(site)
            )
        return found


class Cell(NamedTuple):
    """Cell of a triangle: people of a cohort, and those of them active `period` periods later."""

    span: Span
    period: int
    active: int
    people: int
    #: First day after the later period.
    end: int


class Returned(NamedTuple):
    """People of a site by the periods in which they started and returned; what differs by person adds up."""

    #: First and last day with a start or a return, as ordinals.
    first: int
    last: int
    #: (first day of the cohort's period, first day of a later period or of the same) → people
    people: dict[tuple[int, int], int]

    def plus(self, other: "Returned") -> "Returned":
        """Return the sum for other people of the same site."""
        people = dict(self.people)
        for pair, count in other.people.items():
            people[pair] = people.get(pair, 0) + count
        return Returned(min(self.first, other.first), max(self.last, other.last), people)


def returned(
    starts: Days,
    returns: Days,
    kind: WindowKind,
    cohort: Cohort,
    calendar: Calendar,
) -> Returned:
    """Count the people of a site by cohort and later period.

    first_time: a person belongs to the cohort of their first start. recurring: to the cohort of every
    period in which they start. All people of a cohort are active in its own period.
    """
    begins: dict[int, int] = {}

    def periods(days: Iterable[int]) -> set[int]:
        for day in days:
            if day not in begins:
                begins[day] = ending(kind, day, calendar).first
        return {begins[day] for day in days}

    people: dict[tuple[int, int], int] = {}
    for who, days in starts.items():
        cohorts = periods(days)
        back = periods(returns.get(who, ()))
        for first in {min(cohorts)} if cohort == "first_time" else cohorts:
            for later in {first, *(begin for begin in back if begin > first)}:
                people[first, later] = people.get((first, later), 0) + 1
    every = [day for some in (*starts.values(), *returns.values()) for day in some]
    return Returned(min(every, default=0), max(every, default=0), people)


def triangle(found: Returned, kind: WindowKind, calendar: Calendar) -> Iterator[Cell]:
    """Yield the cells of a site, cohort by cohort, up to the last period with an event."""
    if not found.people:
        return
    spans = [ending(kind, found.first, calendar)]
    while spans[-1].last < found.last:
        spans.append(ending(kind, spans[-1].last + 1, calendar))
    for place, span in enumerate(spans):
        people = found.people.get((span.first, span.first), 0)
        for period, later in enumerate(spans[place:]):
            active = found.people.get((span.first, later.first), 0)
            yield Cell(span, period, active, people, later.last + 1)


def records_of(
    cells: Iterable[Cell],
    site: str,
    cohort: Cohort,
    calendar: Calendar,
    definition: str,
    complete_ms: int,
) -> Iterator[MetricRecord]:
    """Yield a metric record for each cell: its window is the cohort's, its dimension the period.

    It is final if the data are complete (epoch ms) to the end of the later period.
    """
    for cell in cells:
        yield MetricRecord(
            metric=f"retention_{cohort}",
            value=cell.active / cell.people if cell.people else None,
            unit="ratio",
            numerator=cell.active,
            denominator=cell.people,
            site=site,
            dimensions={PERIOD: str(cell.period)},
            window=cell.span.window(calendar),
            revision=1,
            is_final=calendar.day_start_ms(cell.end) <= complete_ms,
            approximate=False,
            watermark=None,
            definition=definition,
        )


def active_days(
    people: Iterable[Person], registry: SegmentRegistry
) -> dict[str, dict[str, Sequence[int]]]:
    """Return site → person → active days."""
    found: dict[str, dict[str, Sequence[int]]] = {}
    for person in people:
        site, who = split_key(person.key)
        whole = registry.segment_set_of(site, {}).segments[0].id
        for (top, mask, *_), segments in person.active.items():
            if whole in segments:
                found.setdefault(site, {})[who] = days_of_mask(top, mask)
    return found


def days_of_mask(top: int, mask: int) -> Sequence[int]:
    """List the days of an active-days bitmap (see stream/people/active_days.py)."""
    return [top - place for place in range(mask.bit_length()) if mask >> place & 1]
