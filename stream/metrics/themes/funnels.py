"""Metrics of funnels: how far people get through steps that follow one another."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from schemas.events import EVENT_TYPES
from stream.counters.calendar import DAY_MS
from stream.counters.segments import SegmentRegistry
from stream.history.aggregates.aggregate import Aggregate
from stream.history.event_filter import predicate
from stream.history.events import HistoryEntry, Index
from stream.history.funnel_attempts import Attempts, FunnelIndex
from stream.history.funnel_steps import REACHED_1D, REACHED_28D, REACHED_ALL, FunnelSteps
from stream.history.replay import condensed
from stream.metrics.counted_by import PAGE_NAME, PERSON, CountedBy
from stream.metrics.metric import JOINED, Example, Metric
from stream.metrics.shares import AtStep
from stream.metrics.terms import AtEnd, ByWindow, Total
from stream.metrics.theme import Theme
from stream.settings.application import Settings
from stream.settings.definitions import Funnel

COUNTED_BY: CountedBy = {"funnel_people_*": ("funnels", *PAGE_NAME, *PERSON)}
DIMENSION = f"funnel{JOINED}step"
_WITHIN = "in order, within the window from step 1"


class FunnelAggregate(Aggregate):
    """Aggregate of how far a person gets through one funnel: the best attempt of each day of entry.

    With entry = "first" only the first attempt ever counts. An entry of the history is a number and a
    session. Bits of the number are the steps that the event can be; the next bit ends an attempt. A
    strict funnel keeps every event by which a person is active, as any of them may lie between two steps.
    """

    keeps_equal = True

    def __init__(self, label: str, funnel: Funnel, settings: Settings) -> None:
        self._label = label
        self._steps = [(step.type, predicate(step, settings.pages)) for step in funnel.steps]
        self._exclusions = [(one.type, predicate(one, settings.pages)) for one in funnel.exclusions]
        is_first_only = funnel.entry == "first"
        by_session = funnel.scope == "session"
        self._by_id = by_session and settings.session.source != "gap"
        self._rules = Attempts(
            steps=len(funnel.steps),
            window_ms=funnel.window_days * DAY_MS,
            order=funnel.order,
            session_gap_ms=settings.session.timeout_seconds * 1000 if by_session else None,
            is_first_only=is_first_only,
        )
        others = _active_types(settings) if funnel.order == "strict" else set()
        named = {one.type for one in (*funnel.steps, *funnel.exclusions)}
        self.types: Collection[str] = named | others
        self._keeps_others = bool(others)
        #: An attempt begins up to a window before an event, and counts for 28 days.
        self.keep_days = funnel.window_days + 30
        # Other steps have another name, as the history holds only their numbers.
        kept: list[Any] = [funnel.steps, funnel.order, funnel.scope]
        if funnel.exclusions or is_first_only:
            kept += [funnel.exclusions, funnel.entry]
        text = msgspec.json.encode(kept, order="sorted")
        self.name = f"fn:{label}:{hashlib.sha256(text).hexdigest()[:6]}"

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the steps that it can be, and its session."""
        tag = str(event.__struct_config__.tag)
        steps = sum(
            1 << number
            for number, (kind, test) in enumerate(self._steps)
            if kind == tag and test(event)
        )
        if any(kind == tag and test(event) for kind, test in self._exclusions):
            steps |= 1 << len(self._steps)
        if not steps and not self._keeps_others:
            return None
        return steps, event.session_id if self._by_id else None

    def in_order(self, entry: HistoryEntry) -> Any:
        """Sort moments of one instant in the order of the steps."""
        return entry[2], entry[3] or ""

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an index that replays the moments."""
        reached = FunnelSteps(DIMENSION, f"{self._label}{JOINED}", registry)
        return FunnelIndex(self._rules, registry, self.in_order, reached)

    def settled(
        self,
        history: list[HistoryEntry],
        oldest_ms: int,
        settled_ms: int,
        registry: SegmentRegistry,
    ) -> list[HistoryEntry]:
        """Replace the settled moments by the attempts that are open, and the steps reached."""

        index = FunnelIndex(self._rules, registry, self.in_order, None)
        return condensed(history, oldest_ms, settled_ms, index.begin)


def _active_types(settings: Settings) -> set[str]:
    of_people = {name for name, kind in EVENT_TYPES.items() if kind.counts_people}
    return of_people - set(settings.active.passive_types)


def aggregates(settings: Settings) -> tuple[FunnelAggregate, ...]:
    """Return an aggregate for each configured funnel."""
    return tuple(
        FunnelAggregate(name, funnel, settings) for name, funnel in settings.funnels.items()
    )


_REACHED = ByWindow(
    {"day": AtEnd(REACHED_1D), "trailing_28d": AtEnd(REACHED_28D), "all": Total(REACHED_ALL)}
)


def metrics(settings: Settings) -> tuple[Metric, ...]:
    """Return the metrics of funnels, over the attempts that the settings count."""
    attempt, within = _WHICH[_entries(settings)], _within(settings)
    shared: dict[str, Any] = {
        "numerator": _REACHED,
        "windows": ("day", "trailing_28d", "all"),
        "counted_by": _counted_by(settings),
        "by": (DIMENSION,),
        "plain": False,
    }
    people = Metric(
        name="funnel_people",
        help="People who began the funnel in the window and got to the step.",
        unit="people",
        formula=f"distinct people at the step, {within}; {attempt}",
        gauge="funnel_people",
        example=Example("225 of 600 people order", 225, None, 225),
        **shared,
    )
    conversion = Metric(
        name="funnel_conversion",
        help="Share of the people at step 1 who got to the step.",
        unit="ratio",
        formula=f"people at the step, {within} ÷ people at step 1",
        denominator=AtStep(_REACHED),
        gauge="funnel_conversion_ratio",
        example=Example("600 see a page, 225 order", 225, 600, 0.375),
        **shared,
    )
    step_conversion = Metric(
        name="funnel_step_conversion",
        help="Share of the people at the step before who got to the step.",
        unit="ratio",
        formula=f"people at the step, {within} ÷ people at the step before",
        denominator=AtStep(_REACHED, before=True),
        gauge="funnel_step_conversion_ratio",
        example=Example("431 fill a cart, 225 order", 225, 431, 225 / 431),
        **shared,
    )
    return people, conversion, step_conversion


_WHICH = {
    "best": "the best attempt of each person counts",
    "first": "the first attempt of each person counts",
    "best, first": "the best attempt of each person counts, or the first if the funnel's entry is first",
}


def _entries(settings: Settings) -> str:
    return ", ".join(sorted({funnel.entry for funnel in settings.funnels.values()})) or "best"


def _within(settings: Settings) -> str:
    excluded = any(funnel.exclusions for funnel in settings.funnels.values())
    return _WITHIN + (" and without an excluded event between" if excluded else "")


def _counted_by(settings: Settings) -> tuple[str, ...]:
    """Return the settings that decide which events are steps of one attempt."""
    funnels = settings.funnels.values()
    found: tuple[str, ...] = ()
    if any(funnel.scope == "session" for funnel in funnels):
        found += ("session.timeout_seconds", "session.source")
    if any(funnel.order == "strict" for funnel in funnels):
        found += ("active.passive_types",)
    return found


THEME = Theme(
    title="Funnels",
    text="How far people get through steps that follow one another.",
    metrics=metrics,
    aggregates=aggregates,
    counted_by=COUNTED_BY,
)
