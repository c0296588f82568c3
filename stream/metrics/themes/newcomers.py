"""Newcomers: who, or which visits, are new to a period, by what the settings call new."""

from collections.abc import Iterator
from dataclasses import dataclass

from stream.counters import measures
from stream.metrics.metric import Benchmark, Example, Metric, Unit
from stream.metrics.terms import AtStart, ByWindow, Sum, Term, Total
from stream.metrics.theme import Theme
from stream.metrics.themes.audience import PEOPLE
from stream.settings.application import Settings

_CHOSEN = ("new.basis", "new.lookback_days")


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    """What is new, of what, and how both are called."""

    new: Term
    every: Term
    unit: Unit
    #: The new ones, as a sentence and as a formula; all of them, and the new ones among these.
    help: str
    formula: str
    among: str
    share: str


def metrics(settings: Settings) -> Iterator[Metric]:
    """People (or visits) that are new to a period, the others, and the share of the new ones."""
    by_session = settings.new.basis == "session"
    of = _BY_SESSION if by_session else _by_person(settings.new.lookback_days)
    every = "sessions" if by_session else "unique visitors"
    yield Metric(
        name="new_visitors",
        help=of.help,
        unit=of.unit,
        formula=of.formula,
        numerator=of.new,
        windows=("day", "week", "month", "all"),
        gauge="new_visitors",
        example=Example("60 of 100 people never seen before", 60, None, 60),
        chosen_by=_CHOSEN,
    )
    yield Metric(
        name="returning_visitors",
        help=f"{of.among} that are not new to it.",
        unit=of.unit,
        formula=f"{every} − new visitors",
        numerator=Sum(of.every, of.new, sign=-1),
        windows=("day", "week", "month"),
        gauge="returning_visitors",
        example=Example("100 unique, 60 new", 40, None, 40),
        chosen_by=_CHOSEN,
    )
    yield Metric(
        name="new_visitor_share",
        help=f"Share of the {of.share}.",
        unit="ratio",
        formula=f"new visitors ÷ {every}",
        numerator=of.new,
        denominator=of.every,
        windows=("day", "week", "month"),
        gauge="new_visitor_ratio",
        example=Example("60 new of 100 people", 60, 100, 0.6),
        chosen_by=_CHOSEN,
        benchmark=Benchmark("0.10 of visitors are new", "web analytics surveys"),
    )


_BY_SESSION = _New(
    new=Total(measures.FIRST_SESSIONS),
    every=Total(measures.SESSIONS),
    unit="sessions",
    help="Visits that are the first one of their person. Closed sessions.",
    formula="closed sessions before which their person had none",
    among="Visits in the period",
    share="visits in the period that are the first one of their person",
)


def _by_person(pause: int) -> _New:
    if pause:
        ever = f"who came in the period and on none of the {pause} days before that"
        formula = f"distinct people not seen in the {pause} days before their first in the period"
        share = f"people seen in the period who had not been seen in the {pause} days before"
    else:
        ever = "whose first active event ever falls in the period"
        formula = "distinct people first seen in the period"
        share = "people seen in the period who had never been seen before it"
    return _New(
        new=_new_people(pause),
        every=PEOPLE,
        unit="people",
        help=f"People {ever} (in a segment: first there).",
        formula=formula,
        among="People seen in the period",
        share=share,
    )


def _new_people(pause: int) -> Term:
    day, week, month = measures.NEW_DAY, measures.NEW_WEEK, measures.NEW_MONTH
    if pause:
        day, week, month = (
            measures.new_after(pause, period) for period in ("day", "week", "month")
        )
    return ByWindow(
        {
            "day": Total(day),
            "week": AtStart(week),
            "month": AtStart(month),
            # Everyone is new once.
            "all": Total(measures.NEW_ALL),
        }
    )


THEME = Theme(
    title="Newcomers",
    text="Who is new to a period, and who returns.",
    metrics=metrics,
)
