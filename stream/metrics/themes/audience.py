"""Metrics of the audience: how many people come, and how often."""

from stream.counters import measures
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import AtEnd, AtStart, ByWindow, Level, Sum, Total
from stream.metrics.theme import Theme

#: People of a period.
PEOPLE = ByWindow(
    {
        "day": Total(measures.ACTIVE_DAY),
        "week": AtStart(measures.ACTIVE_WEEK),
        "month": AtStart(measures.ACTIVE_MONTH),
        # Each person is new once, so these are all people.
        "all": Total(measures.NEW_ALL),
    }
)
_SOLID = Benchmark("above 0.20 is solid", "subscription product guides")

METRICS = (
    Metric(
        name="daily_active_users",
        own_window=True,
        help="People with at least one active event on the day.",
        unit="people",
        formula="distinct people with an active event in the calendar day",
        numerator=Total(measures.ACTIVE_DAY),
        windows=("day",),
        gauge="daily_active_users",
        example=Example("three people, one of them twice", 3, None, 3),
    ),
    Metric(
        name="unique_visitors",
        help="People with at least one active event in the period, new and returning.",
        unit="people",
        formula="distinct people with an active event in the period",
        numerator=PEOPLE,
        windows=("day", "week", "month", "all"),
        gauge="unique_visitors",
        example=Example("60 new, 40 returning", 100, None, 100),
    ),
    Metric(
        name="daily_activity_rate",
        own_window=True,
        help="People active on the day per paying customer. Above 1 if people without a subscription come too.",
        unit="ratio",
        formula="daily active users ÷ customers with a paid subscription at the end of the day",
        numerator=Total(measures.ACTIVE_DAY),
        denominator=Level(measures.CUSTOMERS_CHANGE),
        windows=("day",),
        gauge="daily_activity_ratio",
        gauge_complete=True,
        example=Example("200 active, 1,000 customers", 200, 1_000, 0.20),
        benchmark=_SOLID,
        level=True,
    ),
    Metric(
        name="visit_frequency",
        help="Mean number of sessions of a person who was active in the month.",
        unit="visits",
        formula="closed sessions ÷ people active in the month",
        numerator=Total(measures.SESSIONS),
        denominator=AtStart(measures.ACTIVE_MONTH),
        windows=("month",),
        gauge="visit_frequency",
        example=Example("400 sessions of 100 people", 400, 100, 4),
    ),
    Metric(
        name="at_risk_users",
        own_window=True,
        help="People active in the last 28 days, but not in the last 7.",
        unit="people",
        formula="monthly active users − weekly active users, at the end of the day",
        numerator=Sum(AtEnd(measures.ACTIVE_28D), AtEnd(measures.ACTIVE_7D), sign=-1),
        windows=("day",),
        gauge="at_risk_users",
        gauge_complete=True,
        example=Example("100 active in 28 days, 70 of them in the last 7", 30, None, 30),
    ),
)


THEME = Theme(
    title="Audience",
    text="How many people come, and how often.",
    metrics=lambda _settings: METRICS,
)
