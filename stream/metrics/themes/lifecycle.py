"""Metrics of the lifecycle: retained, resurrected and dormant people, and their number of active days."""

from collections.abc import Iterator

from stream.counters import measures
from stream.counters.measures import active_in
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import (
    AtEnd,
    AtStart,
    ByWindow,
    DaysBefore,
    Predicted,
    Sum,
    Total,
)  # fmt: skip
from stream.metrics.theme import Theme
from stream.settings.application import Settings

_ACTIVE = ByWindow(
    {
        "day": Total(measures.ACTIVE_DAY),
        "week": AtStart(measures.ACTIVE_WEEK),
        "month": AtStart(measures.ACTIVE_MONTH),
    }
)
_NEW = ByWindow(
    {
        "day": Total(measures.NEW_DAY),
        "week": AtStart(measures.NEW_WEEK),
        "month": AtStart(measures.NEW_MONTH),
    }
)
_RETAINED = ByWindow(
    {
        "day": Total(measures.RETAINED_DAY),
        "week": AtStart(measures.RETAINED_WEEK),
        "month": AtStart(measures.RETAINED_MONTH),
    }
)
_DORMANT = ByWindow(
    {
        "day": Total(measures.DORMANT_DAY),
        "week": AtStart(measures.DORMANT_WEEK),
        "month": AtStart(measures.DORMANT_MONTH),
    }
)

METRICS = (
    Metric(
        name="retained_users",
        help="People active in the period and in the one before.",
        unit="people",
        formula="distinct people active in the period and in the period before it",
        numerator=_RETAINED,
        windows=("day", "week", "month"),
        gauge="retained_users",
        gauge_complete=True,
        example=Example("40 of 100 people also came the week before", 40, None, 40),
    ),
    Metric(
        name="resurrected_users",
        help="People who came back: active in the period, not in the one before, but earlier.",
        unit="people",
        formula="distinct people active in the period − new ones − retained ones",
        numerator=Sum(Sum(_ACTIVE, _NEW, sign=-1), _RETAINED, sign=-1),
        windows=("day", "week", "month"),
        gauge="resurrected_users",
        gauge_complete=True,
        example=Example("100 people, 50 of them new and 40 retained", 10, None, 10),
    ),
    Metric(
        name="dormant_users",
        help="People who stayed away: active in the period before, but not in this one.",
        unit="people",
        formula="distinct people active in the period before − retained ones",
        numerator=_DORMANT,
        windows=("day", "week", "month"),
        gauge="dormant_users",
        gauge_complete=True,
        example=Example("40 of 90 people of last week come", 50, None, 50),
    ),
    Metric(
        name="churn_risk_users",
        own_window=True,
        help="People who come less than half as often as before.",
        unit="people",
        formula="people whose rate of active days in the last 7 is under half of their rate in the 21 before",
        numerator=Total(measures.CHURN_RISK_DAY),
        windows=("day",),
        gauge="churn_risk_users",
        gauge_complete=True,
        example=Example("2 of 3 daily visitors come once in the last week", 2, None, 2),
    ),
    Metric(
        name="active_days",
        help="People by the number of days on which they were active in the period.",
        unit="people",
        formula="distinct people by their active days in the period",
        numerator=ByWindow(
            {
                "week": AtStart(measures.ACTIVE_DAYS_WEEK),
                "month": AtStart(measures.ACTIVE_DAYS_MONTH),
            }
        ),
        windows=("week", "month"),
        gauge="active_days_people",
        gauge_complete=True,
        example=Example("active on one day: two of three people", 2, None, 2),
        by=(measures.ACTIVE_DAYS,),
        plain=False,
    ),
    Metric(
        name="churn_risk_by_band",
        help="People of the last 28 days by their risk of staying away, as a model predicts it.",
        unit="people",
        formula="people active in 28 days by predicted risk; counted with churn_risk.enabled",
        numerator=Predicted(measures.RISK_PEOPLE),
        windows=("day",),
        gauge="churn_risk_people",
        approximate=True,
        gauge_complete=True,
        computed=measures.RISK_PEOPLE,
        example=Example("10 of 30 people stop coming, as others did before", 10, None, 10),
        by=(measures.RISK_BAND,),
        plain=False,
    ),
)


def behavioural_churn(settings: Settings) -> Metric:
    """Build the share of people who stay away for as long as the settings say.

    People of 2 N days who are not among the people of the last N days came only before these.
    """
    days = settings.churn.behavioural_inactive_days
    before = f"people active in the {days} days before the last {days}"
    return Metric(
        name="behavioural_churn_rate",
        own_window=True,
        help=f"Share of the people of {days} days who were not active in the {days} days after them.",
        unit="ratio",
        formula=f"{before}, not active in these ÷ {before}",
        numerator=Sum(AtEnd(active_in(2 * days)), AtEnd(active_in(days)), sign=-1),
        denominator=DaysBefore(active_in(days), days),
        windows=("day",),
        gauge="behavioural_churn_ratio",
        gauge_complete=True,
        example=Example("30 of 100 people stay away", 30, 100, 0.3),
        chosen_by=("churn.behavioural_inactive_days",),
        looks_back_days=days,
    )


def active_weeks(settings: Settings) -> Iterator[Metric]:
    """Yield people by their number of active weeks, if the settings want it."""
    if settings.stickiness.interval != "week":
        return
    yield Metric(
        name="active_weeks",
        help="People by the number of weeks of the month in which they were active.",
        unit="people",
        formula="distinct people by the calendar weeks in which they are active on a day of the month",
        numerator=AtStart(measures.ACTIVE_WEEKS_MONTH),
        windows=("month",),
        gauge="active_weeks_people",
        gauge_complete=True,
        example=Example("active in one week: two of three people", 2, None, 2),
        chosen_by=("stickiness.interval",),
        by=(measures.ACTIVE_WEEKS,),
        plain=False,
    )


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield the metrics of the lifecycle."""
    yield from METRICS
    yield from active_weeks(settings)
    yield behavioural_churn(settings)


THEME = Theme(
    title="Lifecycle",
    text="Who stayed, who came back after a pause, who stays away, and on how many days people come.",
    metrics=metrics,
)
