"""Metrics of retention: how many of the people of a day come back later."""

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

#: Last day on which a cohort is watched: one less than the reach of active days.
_FARTHEST = REACH_DAYS - 1
_WEEK = 7


def lifecycle_rules(settings: Settings) -> LifecycleRules:
    """Build the rules for the returns and rolling windows that metrics need."""
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
    """Return the metrics of the first week, and retention by the days, cohort and type that are set."""
    return (
        _first_week_engagement(settings),
        _first_week_active_days(settings),
        *(_retention(day, settings.retention) for day in settings.retention.days),
    )


def _first_week_engagement(settings: Settings) -> Metric:
    last, least = settings.first_week.days - 1, settings.first_week.min_events
    chosen = activation(settings.first_week, settings.pages)
    if chosen is not None and chosen.kind:
        did = f"did {chosen.kind} at least {least} times" if least > 1 else f"did {chosen.kind}"
        does = f"{did} in their first {last + 1} days"
        formula = f"new people with at least {least} matching {chosen.kind} events on days 0–{last}"
    else:
        days = f"{last} days after it"
        does = f"came again {f'on at least {least} of' if least > 1 else 'in'} the {days}"
        often = f"at least {least} of " if least > 1 else ""
        formula = f"new people active again on {often}days 1–{last}"
    return Metric(
        name="first_week_engagement",
        help=f"Share of the new people of the day who {does}.",
        unit="ratio",
        formula=f"{formula} ÷ new people of the day{_clock(settings)}",
        numerator=Total(chosen.measure if chosen is not None else _first_week(settings).measure),
        denominator=Total(measures.NEW_DAY),
        windows=("day",),
        gauge="first_week_engagement_ratio",
        example=Example(f"1 of 4 new people comes again on day {last}", 1, 4, 0.25),
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
        help=f"Mean number of active days of the new people of the day in their first {days} days.",
        unit="days",
        formula=f"active days of new people on days 0–{days - 1} ÷ new people of the day"
        + _clock(settings),
        numerator=Total(measure),
        denominator=Total(measures.NEW_DAY),
        windows=("day",),
        gauge="first_week_active_days",
        example=Example("2 of 4 new people come on two days, 2 on one", 6, 4, 1.5),
        chosen_by=("first_week.days", "first_week.clock"),
        matures_days=_last_day(settings),
    )


def _last_day(settings: Settings) -> int:
    """Calendar days after which the first days of all new people of a day are over."""
    return settings.first_week.days - (settings.first_week.clock == "calendar")


def _clock(settings: Settings) -> str:
    if settings.first_week.clock == "calendar":
        return ""
    return "; a day is 24 hours from the hour of the person's first event"


def _first_week(settings: Settings) -> Return:
    days, least = settings.first_week.days, settings.first_week.min_events
    name = _measure(measures.FIRST_WEEK, days) + (f"_on_{least}" if least > 1 else "")
    return Return(name, 1, days - 1, least)


def _measure(name: str, days: int) -> str:
    """Name the measure of a first week: another length is stored under another name."""
    return name if days == _WEEK else f"{name}_of_{days}"


def _retention(day: int, chosen: RetentionSettings) -> Metric:
    who = "new on the day" if chosen.cohort == "first_time" else "active on the day"
    when = {
        "n_day": f"on day {day}",
        "bracket": f"on days 1–{day}",
        "unbounded": f"on any of the days {day}–{_FARTHEST}",
    }[chosen.type]
    of = measures.NEW_DAY if chosen.cohort == "first_time" else measures.ACTIVE_DAY
    return Metric(
        name=f"retention_d{day}",
        help=f"Share of the people {who} who were active {when} after it.",
        unit="ratio",
        formula=f"people of the cohort active {when} ÷ people {who}; published when day {day} is over",
        numerator=Total(_return_by(day, chosen).measure),
        denominator=Total(of),
        windows=("day",),
        gauge=f"retention_d{day}_ratio",
        example=Example(f"3 of 4 people come {when}", 3, 4, 0.75),
        chosen_by=("retention.days", "retention.type", "retention.cohort"),
        matures_days=day,
    )


def _return_by(day: int, chosen: RetentionSettings) -> Return:
    # The name holds the definition: other settings never add to counts stored under it.
    name = f"back_{'new' if chosen.cohort == 'first_time' else 'active'}_{chosen.type}_{day}"
    nearest = 1 if chosen.type == "bracket" else day
    return Return(name, nearest, _FARTHEST if chosen.type == "unbounded" else day)


THEME = Theme(
    title="Retention",
    text="How many of the people of a day come back later.",
    metrics=metrics,
)
