"""Audience: how many people, how often, how many of them new."""

from stream import measures
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import AtEnd, AtStart, ByWindow, Sum, Total

_PEOPLE = ByWindow(
    {
        "day": Total(measures.ACTIVE_DAY),
        "week": AtStart(measures.ACTIVE_WEEK),
        "month": AtStart(measures.ACTIVE_MONTH),
        # Everyone is new once.
        "all": Total(measures.NEW_ALL),
    }
)
_NEW = ByWindow(
    {
        "day": Total(measures.NEW_DAY),
        "week": AtStart(measures.NEW_WEEK),
        "month": AtStart(measures.NEW_MONTH),
        "all": Total(measures.NEW_ALL),
    }
)
_ACTIVE = ("active.passive_types", "timezone")

METRICS = (
    Metric(
        name="daily_active_users",
        help="People with at least one active event on the day.",
        unit="people",
        formula="distinct people with an active event in the calendar day",
        numerator=Total(measures.ACTIVE_DAY),
        windows=("day",),
        gauge="daily_active_users",
        example=Example("three people, one of them twice", 3, None, 3),
        knobs=_ACTIVE,
    ),
    Metric(
        name="weekly_active_users",
        help="People with at least one active event in the 7 days that end with the day.",
        unit="people",
        formula="distinct people with an active event in 7 calendar days",
        numerator=AtEnd(measures.ACTIVE_7D),
        windows=("trailing_7d",),
        gauge="weekly_active_users",
        example=Example("one person on two days, one on one", 2, None, 2),
        knobs=_ACTIVE,
    ),
    Metric(
        name="monthly_active_users",
        help="People with at least one active event in the 28 days that end with the day.",
        unit="people",
        formula="distinct people with an active event in 28 calendar days",
        numerator=AtEnd(measures.ACTIVE_28D),
        windows=("trailing_28d",),
        gauge="monthly_active_users",
        example=Example("20,000 people, most of them several times", 20_000, None, 20_000),
        knobs=_ACTIVE,
    ),
    Metric(
        name="live_visitors",
        help="People with any event in the last five minutes. Late events do not revise it.",
        unit="people",
        formula="distinct people with an event in 5 minutes of event time",
        numerator=AtEnd(measures.LIVE_5M),
        windows=("trailing_5m",),
        gauge="live_visitors",
        example=Example("two people, one of them in three of the minutes", 2, None, 2),
    ),
    Metric(
        name="stickiness",
        help="Share of the month's people who are active on an average day.",
        unit="ratio",
        formula="mean daily active users of 28 days ÷ monthly active users",
        numerator=Total(measures.ACTIVE_DAY, scale=1 / 28),
        denominator=AtEnd(measures.ACTIVE_28D),
        windows=("trailing_28d",),
        gauge="stickiness_ratio",
        gauge_complete=True,
        example=Example("mean DAU 2,600 of MAU 20,000", 2_600, 20_000, 0.13),
        benchmark=Benchmark("above 0.13 is good", "product analytics guides, for all industries"),
        knobs=_ACTIVE,
    ),
    Metric(
        name="unique_visitors",
        help="People seen in the period: the new and the returning ones.",
        unit="people",
        formula="distinct people with an active event in the period",
        numerator=_PEOPLE,
        windows=("day", "week", "month", "all"),
        gauge="unique_visitors",
        example=Example("60 new, 40 returning", 100, None, 100),
        knobs=("week_start", *_ACTIVE),
    ),
    Metric(
        name="new_visitors",
        help="People whose first active event ever falls in the period (in a segment: first there).",
        unit="people",
        formula="distinct people first seen in the period",
        numerator=_NEW,
        windows=("day", "week", "month", "all"),
        gauge="new_visitors",
        example=Example("60 of 100 people never seen before", 60, None, 60),
        knobs=("week_start", *_ACTIVE),
    ),
    Metric(
        name="returning_visitors",
        help="People seen in the period who had been seen before it.",
        unit="people",
        formula="unique visitors − new visitors",
        numerator=Sum(_PEOPLE, _NEW, sign=-1),
        windows=("day", "week", "month"),
        gauge="returning_visitors",
        example=Example("100 unique, 60 new", 40, None, 40),
        knobs=("week_start", *_ACTIVE),
    ),
)
