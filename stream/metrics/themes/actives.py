"""Metrics of active people in a week, in a month and now, and of how often they come."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.outputs import WindowKind
from stream.counters import measures
from stream.counters.measures import Grain
from stream.counters.windows import GRAIN_OF, Span
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import AtEnd, AtStart, ByWindow, Level, Need, Reader, Term
from stream.metrics.theme import Theme
from stream.settings.application import Settings


@dataclass(frozen=True, slots=True)
class PerDay:
    """Mean of a measure over the days of the window since the site's first active day."""

    measure: str

    def read(self, reader: Reader, span: Span) -> float:
        days = span.last - _begins(reader.of("", ""), span) + 1
        return reader.total(self.measure, span.grain, span.first, span.last) / days

    def needs(self, kind: WindowKind) -> Iterator[Need]:
        yield self.measure, GRAIN_OF[kind]
        yield measures.ACTIVE_DAY, Grain.DAY
        yield measures.KNOWN, Grain.DAY


def _begins(site: Reader, span: Span) -> int:
    """Return the first day of the window, or the first active day ever if that is later."""
    if site.level(measures.KNOWN, span.first - 1) > 0:
        return span.first
    days = range(span.first, span.last + 1)
    return next((day for day in days if site.at(measures.ACTIVE_DAY, Grain.DAY, day)), span.first)


@dataclass(frozen=True, slots=True)
class _Span:
    """A window with its people and its name."""

    kind: WindowKind
    people: Term
    words: str
    days: int | None = None


_MONTHS = {
    "28d": _Span("trailing_28d", AtEnd(measures.ACTIVE_28D), "28 days", 28),
    "30d": _Span("trailing_30d", AtEnd(measures.ACTIVE_30D), "30 days", 30),
    "calendar": _Span("month", AtStart(measures.ACTIVE_MONTH), "the calendar month"),
}
_WEEKS = {
    "7d": _Span("trailing_7d", AtEnd(measures.ACTIVE_7D), "7 days", 7),
    "calendar": _Span("week", AtStart(measures.ACTIVE_WEEK), "the calendar week"),
}
_LIVE: dict[int, tuple[WindowKind, str]] = {5: ("trailing_5m", "five"), 30: ("trailing_30m", "30")}


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield active people by week, by month and now, and stickiness."""
    week, month = _WEEKS[settings.active.week], _MONTHS[settings.active.month]
    for name, span, setting, example in (
        ("weekly_active_users", week, "active.week", Example("two people, one of them twice", 2, None, 2)),
        (
            "monthly_active_users", month, "active.month",
            Example("20,000 people, most of them several times", 20_000, None, 20_000),
        ),
    ):  # fmt: skip
        yield Metric(
            name=name,
            own_window=True,
            help=f"People with at least one active event in {_ending(span)}.",
            unit="people",
            formula=f"distinct people with an active event in {_calendar(span)}",
            numerator=span.people,
            windows=(span.kind,),
            gauge=name,
            example=example,
            chosen_by=(setting,),
        )
    if settings.active.rolling_hours:
        yield _ROLLING
    yield _live(settings)
    yield _stickiness(settings)
    yield Metric(
        name="monthly_activity_rate",
        own_window=True,
        help=f"People active in {month.words} per paying customer. Above 1 if people without a "
        "subscription come too.",
        unit="ratio",
        formula="monthly active users ÷ customers with a paid subscription at the end of the day",
        numerator=month.people,
        denominator=Level(measures.CUSTOMERS_CHANGE),
        windows=(month.kind,),
        gauge="monthly_activity_ratio",
        example=Example("200 active, 1,000 customers", 200, 1_000, 0.20),
        chosen_by=("active.month",),
        benchmark=Benchmark("above 0.20 is solid", "subscription product guides"),
        level=True,
    )


def _ending(span: _Span) -> str:
    return f"the {span.words} that end with the day" if span.days else span.words


def _calendar(span: _Span) -> str:
    return f"{span.days} calendar days" if span.days else span.words


_ROLLING = Metric(
    name="rolling_active_users",
    own_window=True,
    help="People with at least one active event in the last 24 and 168 hours, hour by hour.",
    unit="people",
    formula="distinct people with an active event in 24 (168) clock hours",
    numerator=ByWindow(
        {"trailing_24h": AtEnd(measures.ACTIVE_24H), "trailing_168h": AtEnd(measures.ACTIVE_168H)}
    ),
    windows=("trailing_24h", "trailing_168h"),
    gauge="rolling_active_users",
    example=Example("one person at noon, one the evening before", 2, None, 2),
    chosen_by=("active.rolling_hours",),
)


def _live(settings: Settings) -> Metric:
    minutes = settings.active.live_minutes
    kind, words = _LIVE[minutes]
    return Metric(
        name="live_visitors",
        own_window=True,
        help=f"People with any event in the last {words} minutes. A late event does not revise it.",
        unit="people",
        formula=f"distinct people with an event in {minutes} minutes of event time",
        numerator=AtEnd(measures.LIVE),
        windows=(kind,),
        gauge="live_visitors",
        example=Example("two people, one of them in three of the minutes", 2, None, 2),
        chosen_by=("active.live_minutes",),
    )


def _stickiness(settings: Settings) -> Metric:
    """Build the people of an average day, or of the last day, over those of the window."""
    chosen = settings.stickiness
    month = chosen.base == "month"
    base = (_MONTHS if month else _WEEKS)[settings.active.month if month else settings.active.week]
    daily: Term = PerDay(measures.ACTIVE_DAY)
    formula = f"mean daily active users of {base.words}"
    if chosen.numerator != "mean_dau":
        daily, formula = AtEnd(measures.ACTIVE_DAY), "daily active users of the last day"
    return Metric(
        name="stickiness",
        own_window=True,
        help=f"Share of the {chosen.base}'s people who are active on an average day since counting began."
        if chosen.numerator == "mean_dau"
        else f"Share of the {chosen.base}'s people who are active on its last day.",
        unit="ratio",
        formula=f"{formula} ÷ {'monthly' if month else 'weekly'} active users",
        numerator=daily,
        denominator=base.people,
        windows=(base.kind,),
        gauge="stickiness_ratio",
        gauge_complete=chosen.numerator != "today",
        example=Example("mean DAU 2,600 of MAU 20,000", 2_600, 20_000, 0.13),
        chosen_by=("stickiness.numerator", "stickiness.base", f"active.{chosen.base}"),
        benchmark=Benchmark("above 0.13 is good", "product analytics guides, for all industries"),
    )


THEME = Theme(
    title="Active people",
    text="Who is active in a week, in a month and now, and on how many days of these.",
    metrics=metrics,
)
