"""Shows people to a look at their churn risk, and says what is told of them one by one."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from typing import NamedTuple

from schemas.outputs import ChurnRiskRecord, encode_churn_risk
from stream.churn.features import Features
from stream.churn.risk import Look, RiskRules
from stream.counters.calendar import Calendar
from stream.counters.segments import SegmentRegistry
from stream.history.subscriptions import SubscriptionEvent, pays_at
from stream.people.active_days import Mark
from stream.people.person import Person, unpack

#: (key, value)
Message = tuple[bytes | None, bytes]


class Assessed(NamedTuple):
    """A person whose risk is known."""

    site: str
    who: str
    mark: Mark
    features: Features
    risk: float


def people_in(found: dict[bytes, bytes]) -> Iterator[tuple[int, Person]]:
    """The people of a part of the store, each with a number of their own."""
    for field, raw in found.items():
        yield int.from_bytes(field[:8], "big"), unpack("", raw)


def assess(
    look: Look,
    people: Iterable[tuple[int, Person]],
    registry: SegmentRegistry,
    calendar_of: Callable[[str], Calendar],
) -> Iterator[Assessed]:
    """Show people to a look; yield those whose risk is known."""
    for number, person in people:
        for mark, segments in person.active.items():
            site = _whole_site(registry, segments)
            if site is None:
                continue
            seen = look.see(number, site, mark, partial(_pays, person, calendar_of(site)))
            if seen is not None:
                yield Assessed(site, person.key.partition("\x1f")[2], mark, *seen)
            break


def messages(look: Look, rules: RiskRules, assessed: Iterable[Assessed]) -> Iterator[Message]:
    """Records of the churn topic, keyed by person. A person stored without an id has none."""
    for one in assessed:
        if one.who:
            record = ChurnRiskRecord(
                site=one.site,
                person=one.who,
                day=date.fromordinal(look.day).isoformat(),
                risk=round(one.risk, 4),
                band=rules.band(one.risk),
                horizon_days=rules.horizon_days,
            )
            yield f"{one.site}\x1f{one.who}".encode(), encode_churn_risk(record)


def _whole_site(registry: SegmentRegistry, segments: Iterable[int]) -> str | None:
    """The site, if one of the segments is the whole of it."""
    for segment_id in segments:
        segment = registry.segment(segment_id)
        if not segment.dimension:
            return segment.site
    return None


def _pays(person: Person, calendar: Calendar, day: int) -> bool:
    if not person.subscriptions:
        return False
    events = (SubscriptionEvent(*fields) for fields in person.subscriptions)
    return pays_at(events, calendar.day_start_ms(day + 1) - 1)
