"""Retention: of the people of a day, how many come back later."""

from stream.counters import measures
from stream.counters.measures import active_in
from stream.metrics.metric import Example, Metric
from stream.metrics.terms import Total
from stream.metrics.theme import Theme
from stream.people.active_days import REACH_DAYS
from stream.people.first_days import activation, days_measure
from stream.people.lifecycle import ROLLING, FirstDays, LifecycleRules, Return
from stream.settings.application import Settings
from stream.settings.audience import RetentionSettings

#: As far as a cohort is followed: one day less than habits look back.
_FARTHEST = REACH_DAYS - 1
_WEEK = 7


def lifecycle_rules(settings: Settings) -> LifecycleRules:
    """The returns and the rolling windows that the metrics need."""
    returns = tuple(_return_by(day, settings.retention) for day in settings.retention.days)
    inactive = settings.churn.behavioural_inactive_days
    lengths = {inactive, 2 * inactive, settings.feature.window_days}
    if settings.active.month == "30d":
        lengths.add(30)
    rolling = tuple(sorted({*ROLLING, *((days, active_in(days)) for days in lengths)}))
    days, first_week = settings.first_week.days, _first_week(settings)
    first_days = FirstDays(_measure(measures.FIRST_WEEK_DAYS, days), days)
    of_new = settings.retention.cohort == "first_time"
    return LifecycleRules(
        (first_week, *returns) if of_new else (first_week,),
        () if of_new else returns,
        rolling,
        first_days,
        settings.new.lookback_days,
        settings.stickiness.interval == "week",
    )


def metrics(settings: Settings) -> tuple[Metric, ...]:
    """The first week, and retention by the days, the cohort and the type that are set."""
    return (
        _first_week_engagement(settings),
        _first_week_active_days(settings),
        *(_retention(day, settings.retention) for day in settings.retention.days),
    )


def _first_week_engagement(settings: Settings) -> Metric:
    last, least = settings.first_week.days - 1, settings.first_week.min_events
    chosen = activation(settings.first_week)
    if chosen is not None and chosen.kind:
        did = f"did {chosen.kind} at least {least} times" if least > 1 else f"did {chosen.kind}"
        does = f"{did} in their first {last + 1} days"
        formula = f"new people with at least {least} such {chosen.kind} on days 0–{last}"
    else:
        days = f"{last} days after it"
        does = f"came again {f'on at least {least} of' if least > 1 else 'in'} the {days}"
        often = f"at least {least} of " if least > 1 else ""
        formula = f"new people active again on {often}days 1–{last}"
    return Metric(
        name="first_week_engagement",
        help=f"Share of the people who were new on the day and {does}.",
        unit="ratio",
        formula=f"{formula} ÷ new people of the day{_clock(settings)}",
        numerator=Total(chosen.measure if chosen is not None else _first_week(settings).measure),
        denominator=Total(measures.NEW_DAY),
        windows=("day",),
        gauge="first_week_engagement_ratio",
        example=Example(f"of 4 new people one comes again on day {last}", 1, 4, 0.25),
        chosen_by=(
            "first_week.days",
            "first_week.activation_event",
            "first_week.min_events",
            "first_week.clock",
        ),
        matures_days=_last_day(settings),
    )


def _first_week_active_days(settings: Settings) -> Metric:
    days = settings.first_week.days
    measure = days_measure(settings.first_week) or _measure(measures.FIRST_WEEK_DAYS, days)
    return Metric(
        name="first_week_active_days",
        help=f"Mean number of their first {days} days on which people who were new on the day came.",
        unit="days",
        formula=f"active days of new people on days 0–{days - 1} ÷ new people of the day"
        + _clock(settings),
        numerator=Total(measure),
        denominator=Total(measures.NEW_DAY),
        windows=("day",),
        gauge="first_week_active_days",
        example=Example("of 4 new people two come on two days, two on one", 6, 4, 1.5),
        chosen_by=("first_week.days", "first_week.clock"),
        matures_days=_last_day(settings),
    )


def _last_day(settings: Settings) -> int:
    """The calendar day with which the first days of everybody who was new on a day are over."""
    return settings.first_week.days - (settings.first_week.clock == "calendar")


def _clock(settings: Settings) -> str:
    if settings.first_week.clock == "calendar":
        return ""
    return "; a day is 24 hours, from the hour of a person's first event on"


def _first_week(settings: Settings) -> Return:
    days, least = settings.first_week.days, settings.first_week.min_events
    name = _measure(measures.FIRST_WEEK, days) + (f"_on_{least}" if least > 1 else "")
    return Return(name, 1, days - 1, least)


def _measure(name: str, days: int) -> str:
    """What is counted of a first week of another length is stored under another name."""
    return name if days == _WEEK else f"{name}_of_{days}"


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
        chosen_by=("retention.days", "retention.type", "retention.cohort"),
        matures_days=day,
    )


def _return_by(day: int, knobs: RetentionSettings) -> Return:
    # What the measure counts is in its name: other settings never add to what is stored of these.
    name = f"back_{'new' if knobs.cohort == 'first_time' else 'active'}_{knobs.type}_{day}"
    nearest = 1 if knobs.type == "bracket" else day
    return Return(name, nearest, _FARTHEST if knobs.type == "unbounded" else day)


THEME = Theme(
    title="Retention",
    text="How many of the people of a day come back later.",
    metrics=metrics,
)
