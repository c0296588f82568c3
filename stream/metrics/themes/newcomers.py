"""Metrics of newcomers: people, or sessions, that are new to a period."""

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
    """Terms and words for the new ones of a period and for all of them."""

    new: Term
    every: Term
    unit: Unit
    #: Help and formula of the new ones; words for all of the period, and for the share of the new ones.
    help: str
    formula: str
    among: str
    share: str


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield the new people (or sessions) of a period, the returning ones, and the share of new ones."""
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
        example=Example("60 of 100 people come for the first time", 60, None, 60),
        chosen_by=_CHOSEN,
    )
    yield Metric(
        name="returning_visitors",
        help=f"{of.among} that are not new.",
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
    help="Closed sessions that are the first one of their person.",
    formula="closed sessions that are the first one of their person",
    among="Sessions in the period",
    share="sessions in the period that are the first one of their person",
)


def _by_person(pause: int) -> _New:
    if pause:
        ever = f"active in the period who were away for {pause} days before it"
        formula = (
            f"distinct people inactive in the {pause} days before their first day in the period"
        )
        share = f"active people of the period who were away for {pause} days before it"
    else:
        ever = "whose first active event ever falls in the period"
        formula = "distinct people whose first active event is in the period"
        share = "active people of the period who were never active before it"
    return _New(
        new=_new_people(pause),
        every=PEOPLE,
        unit="people",
        help=f"People {ever}; in a segment, their first one there counts.",
        formula=formula,
        among="Active people of the period",
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
            # Each person is new once.
            "all": Total(measures.NEW_ALL),
        }
    )


THEME = Theme(
    title="Newcomers",
    text="Who is new to a period, and who returns.",
    metrics=metrics,
)
