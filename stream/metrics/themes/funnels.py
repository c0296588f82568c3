"""Metrics of funnels: how far people get through steps that follow one another."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from schemas.events import EVENT_TYPES
from stream.counters.calendar import DAY_MS
from stream.counters.measures import Grain
from stream.counters.segments import SegmentRegistry
from stream.history.event_filter import predicate
from stream.history.events import Condensed, Contributions, HistoryEntry, distinct
from stream.history.funnel_attempts import Attempts, Moment
from stream.metrics.counted_by import PAGE_NAME, PERSON, CountedBy
from stream.metrics.metric import JOINED, Example, Metric
from stream.metrics.shares import AtStep
from stream.metrics.terms import AtEnd, ByWindow, Total
from stream.metrics.theme import Theme
from stream.settings.application import Settings
from stream.settings.definitions import Funnel

#: Distinct people who got to a step: by day of entry, in 28 days, ever.
REACHED_1D = "funnel_people_1d"
REACHED_28D = "funnel_people_28d"
REACHED_ALL = "funnel_people_all"
COUNTED_BY: CountedBy = {"funnel_people_*": ("funnels", *PAGE_NAME, *PERSON)}
_DAYS = {1: REACHED_1D, 28: REACHED_28D}
DIMENSION = f"funnel{JOINED}step"
#: Time of the entry that holds the depth of the best attempt that is over.
_OVER = -1
_WITHIN = "in order, within the window from step 1"


class FunnelAggregate(Condensed):
    """Aggregate of how far a person gets through one funnel: the best attempt of each day of entry.

    With entry = "first" only the first attempt ever counts. An entry of the history is a number and a
    session. Bits of the number are the steps that the event can be; the next bit ends an attempt. A
    strict funnel keeps every event by which a person is active, as any of them may lie between two steps.
    """

    def __init__(self, label: str, funnel: Funnel, settings: Settings) -> None:
        self._label = label
        self._steps = [(step.type, predicate(step, settings.pages)) for step in funnel.steps]
        self._exclusions = [(one.type, predicate(one, settings.pages)) for one in funnel.exclusions]
        self._first_only = funnel.entry == "first"
        by_session = funnel.scope == "session"
        self._by_id = by_session and settings.session.source != "gap"
        self._rules = Attempts(
            steps=len(funnel.steps),
            window_ms=funnel.window_days * DAY_MS,
            order=funnel.order,
            session_gap_ms=settings.session.timeout_seconds * 1000 if by_session else None,
        )
        others = _active_types(settings) if funnel.order == "strict" else set()
        named = {one.type for one in (*funnel.steps, *funnel.exclusions)}
        self.types: Collection[str] = named | others
        self._keeps_others = bool(others)
        #: An attempt begins up to a window before an event, and counts for 28 days.
        self.keep_days = funnel.window_days + 30
        # Other steps have another name, as the history holds only their numbers.
        kept: list[Any] = [funnel.steps, funnel.order, funnel.scope]
        if funnel.exclusions or self._first_only:
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

    def contributions(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> Contributions:
        """Count the person at each step reached: on the day of entry, in 28 days, and ever."""
        counts: Contributions = Contributions()
        if not history:
            return counts
        site = registry.by_id(history[0][1]).site
        best, ever = self.summary(history, registry)
        for step in range(1, self._rules.steps + 1):
            days = [day for day, depth in best if depth >= step]
            if not days and ever < step:
                break
            segment = registry.own_segment(site, DIMENSION, f"{self._label}{JOINED}{step}")
            distinct(counts, _DAYS, segment, days)
            counts[REACHED_ALL, segment, Grain.ALL, 0] += 1
        return counts

    def summary(
        self, history: Sequence[HistoryEntry], registry: SegmentRegistry
    ) -> tuple[list[tuple[int, int]], int]:
        """Return ((day of entry, best depth) by day, best depth ever)."""
        if not history:
            return [], 0
        calendar = registry.by_id(history[0][1]).calendar
        best: dict[int, int] = {}
        for time_ms, depth in self._followed(history):
            day = calendar.day_of(time_ms)
            best[day] = max(best.get(day, 0), depth)
        return sorted(best.items()), max(_depth_over(history), *best.values(), 0)

    def _followed(self, history: Sequence[HistoryEntry]) -> list[tuple[int, int]]:
        """Return (time of the first step, depth) of the attempts that count and are not over."""
        attempts = list(self._rules.depths(_moments(history)))
        if not self._first_only:
            return attempts
        if _depth_over(history):
            return []  # The first attempt is over.
        return sorted(attempts, key=lambda attempt: (attempt[0], -attempt[1]))[:1]

    def settled(
        self,
        history: Sequence[HistoryEntry],
        oldest_ms: int,
        settled_ms: int,
        registry: SegmentRegistry,
    ) -> list[HistoryEntry]:
        """Replace the attempts that are over by the depth of the best of them."""
        over = [entry for entry in history if entry[0] == _OVER]
        kept = self._thin(
            [entry for entry in history if entry[0] >= oldest_ms], settled_ms, registry
        )
        if any(_OVER != entry[0] < oldest_ms for entry in history):
            depths = (d for t, d in self._followed(history) if t < oldest_ms)
            ever = max([_depth_over(history), *depths])
            over = [(_OVER, history[0][1], ever, None)]
        return [*over, *kept]

    def _thin(
        self, history: list[HistoryEntry], settled_ms: int, registry: SegmentRegistry
    ) -> list[HistoryEntry]:
        """Leave out repetitions of a step between which no other event can come any more.

        The first of a later step is enough: what follows one follows all. Of step 1 the last on a day is
        kept, as its window ends last; the first, if only the first attempt counts.
        """
        if self._rules.order != "ordered" or self._rules.session_gap_ms is not None:
            return history
        thin: list[HistoryEntry] = []
        for entry in history:
            steps, last = entry[2], thin[-1] if thin else None
            if not last or last[2] != steps or entry[0] >= settled_ms or steps.bit_count() > 1:
                thin.append(entry)
            elif steps == 1 and not self._first_only:
                day_of = registry.by_id(entry[1]).calendar.day_of
                thin[-1 if day_of(entry[0]) == day_of(last[0]) else len(thin) :] = [entry]
        return thin


def _depth_over(history: Sequence[HistoryEntry]) -> int:
    """Return the depth of the best attempt that is over; 0 without one."""
    return max((entry[2] for entry in history if entry[0] == _OVER), default=0)


def _moments(history: Sequence[HistoryEntry]) -> list[Moment]:
    return [Moment(entry[0], entry[2], entry[3]) for entry in history if entry[0] != _OVER]


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
