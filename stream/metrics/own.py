"""Own measures and metrics: builds what engage.toml defines."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast, get_args

import msgspec

from schemas.outputs import WindowKind
from stream.counters import measures
from stream.counters.calendar import Calendar
from stream.counters.segments import Group, SegmentRegistry
from stream.counters.windows import KINDS
from stream.history.aggregates.daily import Daily
from stream.history.distinct_days import DayWindows
from stream.history.event_filter import predicate
from stream.history.events import HistoryEntry
from stream.metrics.counted_by import PAGE_NAME, PERSON, CountedBy
from stream.metrics.metric import Example, Metric, Unit
from stream.metrics.terms import AtEnd, AtStart, ByWindow, Per, Term, Total
from stream.settings.application import Settings
from stream.settings.definitions import Measure, OwnMetric
from stream.settings.pages import PageSettings

UNITS: tuple[str, ...] = get_args(Unit)
#: Rolling windows in which the distinct people of a measure are counted, in days.
_ROLLING: Mapping[WindowKind, int] = {
    "day": 1, "trailing_7d": 7, "trailing_28d": 28, "trailing_30d": 30,
}  # fmt: skip
PEOPLE_KINDS: tuple[WindowKind, ...] = (*_ROLLING, "week", "month")
_PEOPLE = ByWindow(
    {
        "day": Total(measures.ACTIVE_DAY),
        "week": AtStart(measures.ACTIVE_WEEK),
        "month": AtStart(measures.ACTIVE_MONTH),
        "trailing_7d": AtEnd(measures.ACTIVE_7D),
        "trailing_28d": AtEnd(measures.ACTIVE_28D),
        "all": Total(measures.NEW_ALL),
    }
)
#: Built-in measures that own metrics can use, with the windows in which they have a value.
BUILT_IN: Mapping[str, tuple[Term, tuple[WindowKind, ...]]] = {
    "events": (Total(measures.EVENTS), KINDS),
    "page_views": (Total(measures.PAGE_VIEWS), KINDS),
    "clicks": (Total(measures.CLICKS), KINDS),
    "impressions": (Total(measures.IMPRESSIONS), KINDS),
    "sessions": (Total(measures.SESSIONS), KINDS),
    "people": (_PEOPLE, ("day", "week", "month", "trailing_7d", "trailing_28d", "all")),
}
#: Tables of engage.toml that define own measures and metrics.
CHOSEN_BY = ("measures", "metrics")
# The definition of a measure is in its name. Its conditions may name pages.
COUNTED_BY: CountedBy = {"own_*": (*PAGE_NAME, *PERSON)}
#: Unit → last word of the gauge.
_SUFFIXES = {"ratio": "_ratio", "seconds": "_seconds"}


class OwnCounter:
    """Event counter of an own measure. It adds up a field, or counts events; no field adds nothing."""

    def __init__(self, name: str, measure: Measure, pages: PageSettings) -> None:
        self.types: Collection[str] = (measure.type,)
        self._measure = counted_as(name, measure)
        self._test = predicate(measure, pages)
        self._field = measure.field if measure.count == "sum" else ""

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """Yield one, or the value of the field in millionths."""
        if not self._test(event):
            return
        value = getattr(event, self._field) if self._field else 1
        if value is not None:
            yield self._measure, round(value * measures.MICROS) if self._field else 1

    def own_segments(self, _event: Any) -> Iterable[tuple[str, str]]:
        """Return none."""
        return ()


class OwnPeople(Daily):
    """Aggregate of an own measure of distinct people: the days with such an event."""

    keep_days = 33

    def __init__(self, name: str, measure: Measure, pages: PageSettings) -> None:
        self._measure = counted_as(name, measure)
        self.name = self._measure
        self.types: Collection[str] = (measure.type,)
        self._test = predicate(measure, pages)
        self._windows: dict[Calendar, DayWindows] = {}

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep a chosen event without any field."""
        return () if self._test(event) else None

    def groups(self, entry: HistoryEntry, registry: SegmentRegistry) -> tuple[Group, ...]:
        """Return the segments of the event."""
        return (registry.by_id(entry[1]),)

    def windows(self, group: Group) -> DayWindows:
        """Return every rolling window of people, and calendar weeks and months."""
        calendar = group.calendar
        found = self._windows.get(calendar)
        if found is None:
            found = self._windows[calendar] = DayWindows(
                [(length, f"{self._measure}_{kind}") for kind, length in _ROLLING.items()],
                [
                    (f"{self._measure}_week", calendar.week_of),
                    (f"{self._measure}_month", calendar.month_of),
                ],
            )
        return found


def counted_as(name: str, measure: Measure) -> str:
    """Name the counters of a measure. The name holds the definition, so a changed one starts at 0."""
    text = msgspec.json.encode(measure, order="sorted")
    return f"own_{name}_{hashlib.sha256(text).hexdigest()[:6]}"


def own_counters(settings: Settings) -> tuple[OwnCounter, ...]:
    """Return the own measures that single events add to."""
    given = settings.measures.items()
    return tuple(
        OwnCounter(name, one, settings.pages) for name, one in given if one.count != "people"
    )


def own_aggregates(settings: Settings) -> tuple[OwnPeople, ...]:
    """Return the own measures of distinct people."""
    given = settings.measures.items()
    return tuple(
        OwnPeople(name, one, settings.pages) for name, one in given if one.count == "people"
    )


def own_metrics(settings: Settings) -> tuple[Metric, ...]:
    """Return the own metrics that can be computed; stream/configure/check_definitions.py refuses others."""
    found = []
    for name, own in settings.metrics.items():
        terms = [part(settings, name) for name in (own.numerator, own.denominator) if name]
        if own.numerator and all(one and set(own.windows) <= set(one[1]) for one in terms):
            found.append(_metric(settings, name, own, [one[0] for one in terms if one]))
    return tuple(found)


def part(settings: Settings, name: str) -> tuple[Term, tuple[WindowKind, ...]] | None:
    """Return (term, windows with a value) of an own or built-in measure; None if it is unknown."""
    measure = settings.measures.get(name)
    if measure is None:
        return BUILT_IN.get(name)
    counted = counted_as(name, measure)
    if measure.count != "people":
        total = Total(counted)
        return (Per(total, measures.MICROS) if measure.count == "sum" else total), KINDS
    terms: dict[WindowKind, Term] = {kind: AtEnd(f"{counted}_{kind}") for kind in _ROLLING}
    terms["week"], terms["month"] = AtStart(f"{counted}_week"), AtStart(f"{counted}_month")
    return ByWindow(terms), PEOPLE_KINDS


def people(settings: Settings, name: str) -> Term | None:
    """Return the distinct people of an own measure, in PEOPLE_KINDS; None if it counts no people."""
    measure = settings.measures.get(name)
    found = part(settings, name) if measure is not None and measure.count == "people" else None
    return None if found is None else found[0]


def unit_of(own: OwnMetric) -> str:
    """Return the unit as written; without one, ratio or events."""
    return own.unit or ("ratio" if own.denominator else "events")


def gauge_of(name: str, own: OwnMetric) -> str:
    """Return the gauge without prefix. It ends with the unit if that is a ratio or seconds."""
    suffix = _SUFFIXES.get(unit_of(own), "")
    return name if name.endswith(suffix) else name + suffix


def _metric(settings: Settings, name: str, own: OwnMetric, terms: Sequence[Term]) -> Metric:
    divided = own.denominator and f" ÷ {own.denominator}"
    parts = dict.fromkeys((own.numerator, own.denominator))
    example = Example("3 of 4", 3, 4, 0.75) if divided else Example("counted 3 times", 3, None, 3)
    return Metric(
        name=name,
        help=own.help or f"{own.numerator}{divided}, as engage.toml defines it.".capitalize(),
        unit=cast(Unit, unit_of(own)),
        formula=f"{own.numerator}{divided}",
        numerator=terms[0],
        denominator=terms[1] if divided else None,
        windows=cast(tuple[WindowKind, ...], own.windows),
        gauge=gauge_of(name, own),
        example=example,
        chosen_by=(
            f"metrics.{name}",
            *(f"measures.{part}" for part in parts if part in settings.measures),
        ),
    )
