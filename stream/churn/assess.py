"""Assesses people read from the store, and builds the records of the churn topic."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from typing import NamedTuple

from schemas.outputs import ChurnRiskRecord, encode_churn_risk
from stream.churn.features import Features
from stream.churn.risk import Assessment, RiskRules
from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry
from stream.history.customer import pays_at
from stream.people.active_days import Bitmap
from stream.people.keys import person_key, split_key
from stream.people.person import Person, unpack

#: (key, value)
Message = tuple[bytes | None, bytes]


class Assessed(NamedTuple):
    """A person with a predicted risk."""

    site: str
    who: str
    bitmap: Bitmap
    features: Features
    risk: float


def people_in(found: dict[bytes, bytes]) -> Iterator[tuple[int, Person]]:
    """Unpack stored people, each with a unique number from its storage field."""
    for field, raw in found.items():
        yield int.from_bytes(field[:8], "big"), unpack("", raw)


def assess(
    assessment: Assessment,
    people: Iterable[tuple[int, Person]],
    registry: SegmentRegistry,
    calendar_of: Callable[[str], Calendar],
) -> Iterator[Assessed]:
    """Add people to an assessment; yield those with a predicted risk."""
    for number, person in people:
        for bitmap, segments in person.active.items():
            site = _whole_site(registry, segments)
            if site is None:
                continue
            seen = assessment.observe(
                number, site, bitmap, partial(_pays, person, calendar_of(site))
            )
            if seen is not None:
                yield Assessed(site, split_key(person.key)[1], bitmap, *seen)
            break


def messages(
    assessment: Assessment, rules: RiskRules, assessed: Iterable[Assessed]
) -> Iterator[Message]:
    """Yield the records of the churn topic, keyed by person. A person stored without an id has none."""
    for one in assessed:
        if one.who:
            record = ChurnRiskRecord(
                site=one.site,
                person=one.who,
                day=date.fromordinal(assessment.day).isoformat(),
                risk=round(one.risk, 4),
                band=rules.band(one.risk),
                horizon_days=rules.horizon_days,
            )
            yield person_key(one.site, one.who).encode(), encode_churn_risk(record)


def _whole_site(registry: SegmentRegistry, segments: Iterable[int]) -> str | None:
    """Return the site whose whole-site segment is among the segments; None without one."""
    for segment_id in segments:
        segment = registry.segment(segment_id)
        if not segment.dimension:
            return segment.site
    return None


def _pays(person: Person, calendar: Calendar, day: int) -> bool:
    if not person.subscriptions:
        return False
    return pays_at(person.subscriptions, calendar.day_start_ms(day + 1) - 1)
