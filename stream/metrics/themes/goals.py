"""Metrics of goals: the people and the sessions that reach them, also by variant of an experiment."""

from bisect import insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from stream.counters import measures
from stream.counters.segments import Group, Segment, SegmentRegistry, SegmentSet
from stream.history.aggregates.aggregate import EventCounter
from stream.history.aggregates.daily import Daily
from stream.history.distinct_days import DayWindows
from stream.history.event_filter import Predicate, predicate
from stream.history.events import HistoryEntry
from stream.metrics.counted_by import GOALS, PERSON, CountedBy
from stream.metrics.metric import JOINED, Example, Metric
from stream.metrics.shares import OfSite
from stream.metrics.terms import AtEnd, ByWindow, Total
from stream.metrics.theme import Theme
from stream.sessions.session import A_GOAL, CARTED, CONVERTED, ORDERED
from stream.settings.application import Settings

CONVERTED_1D = "converted_1d"
CONVERTED_7D = "converted_7d"
CONVERTED_28D = "converted_28d"
#: Events that reach a goal.
CONVERSIONS = "conversions"
COUNTED_BY: CountedBy = {"converted_*": (*GOALS, *PERSON), CONVERSIONS: GOALS}
_WINDOWS = DayWindows(((1, CONVERTED_1D), (28, CONVERTED_28D)))
_OF_VARIANTS = DayWindows(((7, CONVERTED_7D), *_WINDOWS.rolling))
#: The name of the goal that every order reaches.
ORDER = "order"
_CLOSED = "Counts closed sessions, in the window in which they started."


class Goals(Daily):
    """Aggregate of the days on which a person reached each goal, and any goal.

    A goal counts once a day. An event may reach several goals.
    """

    name = "goal"
    keep_days = 30

    def __init__(self, settings: Settings) -> None:
        self._by_type = goals_by_type(settings)
        self.types: Collection[str] = (*self._by_type, "goal")
        #: Dimension of the variants; None without an experiment.
        self._variant = settings.experiment.dimension if has_experiment(settings) else None
        self._joint = of_goals_and(self._variant) if self._variant else None

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the names of the goals."""
        reached = reached_goals(self._by_type, event)
        return (reached,) if reached else None

    def groups(self, entry: HistoryEntry, registry: SegmentRegistry) -> Iterable[Group]:
        """Return the segments of the event, those of its goals, and those of goals and variants."""
        segment_set = registry.by_id(entry[1])
        goals = [registry.own_segment(segment_set.site, "goal", goal) for goal in entry[2]]
        if self._variant is None:
            return segment_set, *goals
        return self._with_variants(segment_set, goals, registry)

    def windows(self, group: Group) -> DayWindows:
        """Return a day and 28 days; for variants, also 7 days."""
        if isinstance(group, Segment) and group.dimension in (self._variant, self._joint):
            return _OF_VARIANTS
        return _WINDOWS

    def _with_variants(
        self, segment_set: SegmentSet, goals: Sequence[Segment], registry: SegmentRegistry
    ) -> Iterator[Group]:
        """Yield the other segments, the variants, the goals, and each goal with each variant."""
        assert self._joint is not None
        variants = [one for one in segment_set.segments if one.dimension == self._variant]
        # The site is always among the others.
        others = [one for one in segment_set.segments if one.dimension != self._variant]
        yield segment_set.part(others)
        yield from variants
        yield from goals
        for variant in variants:
            for goal in goals:
                # The goal loses the joint, so that a variant may have any name.
                label = f"{goal.value.replace(JOINED, '')}{JOINED}{variant.value}"
                yield registry.own_segment(segment_set.site, self._joint, label)


class Conversions:
    """Event counter of conversions: an event counts once, and once for each goal that it reaches."""

    def __init__(self, settings: Settings) -> None:
        self._by_type = goals_by_type(settings)
        self.types: Collection[str] = (*self._by_type, "goal")

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """Yield one if the event reaches a goal."""
        if reached_goals(self._by_type, event):
            yield CONVERSIONS, 1

    def own_segments(self, event: Any) -> Iterable[tuple[str, str]]:
        """Return a segment for each goal."""
        return (("goal", goal) for goal in reached_goals(self._by_type, event))


def event_counters(settings: Settings) -> tuple[EventCounter, ...]:
    """Return the counter of conversions if the settings count every one."""
    chosen = settings.conversion
    return (Conversions(settings),) if (chosen.basis, chosen.count) == ("user", "every") else ()


def has_experiment(settings: Settings) -> bool:
    """Whether the field that names variants is a dimension."""
    return settings.experiment.dimension in settings.dimensions


def of_goals_and(dimension: str) -> str:
    """Name the joint dimension of the goals and another dimension."""
    return f"goal{JOINED}{dimension}"


def goals_by_type(settings: Settings) -> dict[str, list[tuple[str, Predicate]]]:
    """Map each event type to the configured goals that its events may reach."""
    found: dict[str, list[tuple[str, Predicate]]] = {}
    if settings.conversion.orders and ORDER not in settings.goals:
        found["order"] = [(ORDER, lambda _event: True)]
    for name, selection in sorted(settings.goals.items()):
        found.setdefault(selection.type, []).append((name, predicate(selection, settings.pages)))
    for tests in found.values():
        tests.sort(key=itemgetter(0))
    return found


def reached_goals(by_type: Mapping[str, list[tuple[str, Predicate]]], event: Any) -> list[str]:
    """Return the names of the goals that an event reaches, in order."""
    tag = event.__struct_config__.tag
    tests = by_type.get(tag)
    if tests is None:
        return [event.name] if tag == "goal" else []
    reached = [name for name, test in tests if test(event)]
    if tag == "goal" and event.name not in reached:
        insort(reached, event.name)
    return reached


def session_marks(settings: Settings) -> dict[str, Callable[[Any], int]]:
    """Map each event type to the marks that its events set in their session (stream/sessions/session.py)."""
    by_type = goals_by_type(settings)
    start = settings.cart.start_event
    converted = CONVERTED | (A_GOAL if settings.conversion.count == "every" else 0)
    found: dict[str, Callable[[Any], int]] = {}
    for tag in {*by_type, "goal", "order", start}:
        always = (ORDERED if tag == "order" else 0) | (CARTED if tag == start else 0)
        found[tag] = _marks(always, converted, by_type)
    return found


def _marks(
    always: int, converted: int, by_type: Mapping[str, list[tuple[str, Predicate]]]
) -> Callable[[Any], int]:
    return lambda event: always | (converted if reached_goals(by_type, event) else 0)


def metrics(settings: Settings) -> tuple[Metric, ...]:
    """Return the conversion of people or sessions, as the settings choose, and that of sessions."""
    by_session = settings.conversion.basis == "session"
    every = settings.conversion.count == "every"
    first = _of_sessions("conversion_rate", every, _BASIS) if by_session else _of_people(every)
    return first, _of_sessions("session_conversion_rate", every, _COUNT)


_COUNT = ("conversion.count",)
_BASIS = ("conversion.basis", *_COUNT)


def _of_people(every: bool) -> Metric:
    once = ByWindow({"day": AtEnd(CONVERTED_1D), "trailing_28d": AtEnd(CONVERTED_28D)})
    what = "events that reached a goal" if every else "distinct people who reached a goal"
    return Metric(
        name="conversion_rate",
        help="Times that any goal, or the named one, was reached, per active person."
        if every
        else "Share of the active people who reached any goal, or the named one.",
        unit="ratio",
        formula=f"{what} ÷ distinct active people",
        numerator=Total(CONVERSIONS) if every else once,
        denominator=ByWindow(
            {
                "day": OfSite(Total(measures.ACTIVE_DAY)),
                "trailing_28d": OfSite(AtEnd(measures.ACTIVE_28D)),
            }
        ),
        windows=("day", "trailing_28d"),
        gauge="conversion_ratio",
        example=Example("200 of 1,000 people", 200, 1_000, 0.20),
        chosen_by=_BASIS,
        by=("goal",),
    )


def _of_sessions(name: str, every: bool, chosen_by: tuple[str, ...]) -> Metric:
    what = "events that reached a goal" if every else "sessions in which a goal was reached"
    return Metric(
        name=name,
        help=f"Times that a goal was reached, per session. {_CLOSED}"
        if every
        else f"Share of the sessions in which a goal was reached. {_CLOSED}",
        unit="ratio",
        formula=f"{what} ÷ sessions",
        numerator=Total(measures.SESSION_GOALS if every else measures.CONVERTED_SESSIONS),
        denominator=Total(measures.SESSIONS),
        windows=("trailing_1h", "hour", "day", "all"),
        gauge=name.replace("_rate", "_ratio"),
        example=Example("5 of 50 sessions", 5, 50, 0.10),
        chosen_by=chosen_by,
    )


THEME = Theme(
    title="Goals",
    text="How many people and how many sessions reach a goal.",
    metrics=metrics,
    aggregates=lambda settings: (Goals(settings),),
    event_counters=event_counters,
    counted_by=COUNTED_BY,
)
