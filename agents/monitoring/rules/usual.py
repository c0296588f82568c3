"""Usual values: the middle of the same hour of other days, and the spread between quantiles."""

from agents.monitoring.rules.pace import DAY, HOUR, MINUTE, WEEK, Pace

FORTNIGHT = 2 * WEEK
#: Quantiles one standard deviation from the middle of a normal distribution. An incident of three
#: hours, or the first minutes of an installation, lie beyond them.
_LOW, _MIDDLE, _HIGH = 0.16, 0.5, 0.84
#: Step through a day: a quantile of all samples would cost twenty times as much.
_STEP = 5 * MINUTE
#: Label that tells past values apart while the middle of them is taken.
_PAST = "past"
_OR = "\nor\n"


def usual_value(series: str, pace: Pace) -> str:
    """Build the usual value of a series at this hour; in the first week the median of the day before."""
    return f"{of_hours(series, pace)}\nor\n{_quantile(_MIDDLE, series, _day_before(pace))}"


def of_hours(series: str, pace: Pace) -> str:
    """Build the middle of this hour yesterday, a week ago and two weeks ago; nothing in the first week.

    Without two weeks, the day around this hour a week ago takes their place. So one past incident
    changes nothing, and a rhythm of the week stays usual.
    """
    week = same_hour(series, WEEK, pace)
    earlier = same_hour(series, FORTNIGHT, pace), _quantile(_MIDDLE, series, _week_ago(pace))
    days = middle(week, _OR.join(earlier), same_hour(series, DAY, pace))
    return f"({days}\nand\n{week})"


def usual_spread(series: str, pace: Pace) -> str:
    """Build half the distance between the quantiles of a day, which is that of a standard deviation.

    Of the day around this hour a week ago and the day before, the narrower one: an incident of many
    hours widens one of them.
    """
    days = [
        f"({_quantile(_HIGH, series, day)}\n- {_quantile(_LOW, series, day)}) / 2"
        for day in (_week_ago(pace), _day_before(pace))
    ]
    return _together("min", *days)


def same_hour(series: str, ago: float, pace: Pace) -> str:
    """Build the median of the hour around this time, `ago` seconds before."""
    offset = pace.of(ago - HOUR / 2)
    return f"quantile_over_time({_MIDDLE}, {series}[{pace.of(HOUR)}] offset {offset})"


def middle(*values: str) -> str:
    """Build the median of past values; of two, that is their mean."""
    return _together("quantile", *values, parameter=f"{_MIDDLE}, ")


def larger(*values: str) -> str:
    """Build the largest of values that have equal labels."""
    return _together("max", *values)


def _together(operator: str, *values: str, parameter: str = "") -> str:
    named = [
        f'label_replace({value}, "{_PAST}", "{number}", "", "")'
        for number, value in enumerate(values)
    ]
    return f"{operator} without ({_PAST}) (" + parameter + _OR.join(named) + ")"


def _week_ago(pace: Pace) -> str:
    """Build the range of the day around this time a week ago: today's fault is not in it."""
    return _day(WEEK - DAY / 2, pace)


def _day_before(pace: Pace) -> str:
    """Build the range of the day that ended an hour ago: a spike is not its own usual value."""
    return _day(HOUR, pace)


def _day(ended: float, pace: Pace) -> str:
    return f"[{pace.of(DAY)}:{pace.of(_STEP)}] offset {pace.of(ended)}"


def _quantile(quantile: float, series: str, day: str) -> str:
    return f"quantile_over_time({quantile}, {series}{day})"
