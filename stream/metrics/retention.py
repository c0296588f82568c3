"""Retention: of the people of a day, how many come back later."""

from stream import measures
from stream.habits import REACH_DAYS, ROLLING, HabitRules, Return
from stream.knobs import Settings
from stream.knobs_audience import RetentionSettings
from stream.measures import active_in
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import Total

#: As far as a cohort is followed: one day less than habits look back.
_FARTHEST = REACH_DAYS - 1
#: Days after the first one on which a newcomer of the first week can be active again.
_WEEK = 6
_FIRST_WEEK = Return(measures.FIRST_WEEK, 1, _WEEK)


def habit_rules(settings: Settings) -> HabitRules:
    """The returns and the rolling windows that the metrics need."""
    returns = tuple(_return_by(day, settings.retention) for day in settings.retention.days)
    inactive = settings.churn.behavioural_inactive_days
    lengths = {inactive: active_in(inactive), 2 * inactive: active_in(2 * inactive)}
    rolling = tuple(sorted({**dict(ROLLING), **lengths}.items()))
    if settings.retention.cohort == "first_time":
        return HabitRules(of_new=(_FIRST_WEEK, *returns), rolling=rolling)
    return HabitRules(of_new=(_FIRST_WEEK,), of_active=returns, rolling=rolling)


def retention(settings: Settings) -> tuple[Metric, ...]:
    """First-week engagement, and retention by the days, the cohort and the type that are set."""
    return (
        Metric(
            name="first_week_engagement",
            help="Share of the people who were new on the day and came again in the 6 days after it.",
            unit="ratio",
            formula="new people active again on days 1–6 ÷ new people of the day",
            numerator=Total(measures.FIRST_WEEK),
            denominator=Total(measures.NEW_DAY),
            windows=("day",),
            gauge="first_week_engagement_ratio",
            example=Example("of 4 new people one comes again on day 6", 1, 4, 0.25),
            knobs=("active.passive_types", "timezone"),
            matures_days=_WEEK,
        ),
        *(_retention(day, settings.retention) for day in settings.retention.days),
    )


def _retention(day: int, knobs: RetentionSettings) -> Metric:
    who = "new on the day" if knobs.cohort == "first_time" else "active on the day"
    when = {
        "n_day": f"on day {day}",
        "bracket": f"on days 1–{day}",
        "unbounded": f"on any of the days {day}–{_FARTHEST}",
    }[knobs.type]
    of = measures.NEW_DAY if knobs.cohort == "first_time" else measures.ACTIVE_DAY
    return Metric(
        name=f"retention_d{day}",
        help=f"Share of the people {who} who were active {when} after it.",
        unit="ratio",
        formula=f"people of the cohort active {when} ÷ people {who}; shown when day {day} is over",
        numerator=Total(_return_by(day, knobs).measure),
        denominator=Total(of),
        windows=("day",),
        gauge=f"retention_d{day}_ratio",
        example=Example(f"of 4 people 3 come {when}", 3, 4, 0.75),
        knobs=(
            "retention.days",
            "retention.type",
            "retention.cohort",
            "active.passive_types",
            "timezone",
        ),
        matures_days=day,
    )


def _return_by(day: int, knobs: RetentionSettings) -> Return:
    # What the measure counts is in its name: other settings never add to what is stored of these.
    name = f"back_{'new' if knobs.cohort == 'first_time' else 'active'}_{knobs.type}_{day}"
    nearest = 1 if knobs.type == "bracket" else day
    return Return(name, nearest, _FARTHEST if knobs.type == "unbounded" else day)
