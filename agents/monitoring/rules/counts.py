"""Numbers of people with their usual values at this time of day."""

from collections.abc import Iterator

from agents.monitoring.rules.pace import DAY, HOUR, MINUTE, WEEK, Pace
from agents.monitoring.rules.rule import Record
from agents.monitoring.rules.usual import FORTNIGHT, middle, of_hours, same_hour
from stream.counters.windows import ROLLING_DAYS
from stream.settings.application import Settings

CHURNED = 'site:engagement_churned_customers:max{window="day"}'
CUSTOMERS = 'site:engagement_active_customers:max{window="day"}'
ACTIVE = "site:engagement_daily_active_users:max"
LIVE = "site:engagement_live_visitors:mean10m"
USUAL_CHURNED = "site:engagement_churned_customers:baseline"
USUAL_ACTIVE = "site:engagement_daily_active_users:baseline"
USUAL_LIVE = "site:engagement_live_visitors:baseline"


def answers(settings: Settings) -> str:
    """Series of the answers to surveys in `survey.window_days`."""
    window = ROLLING_DAYS[settings.survey.window_days]
    return f'site:engagement_feedback_answers:max{{window=~"|{window}"}}'


def count_rules(pace: Pace) -> Iterator[Record]:
    """Yield usual values: of this time on other days, since nights are quiet."""
    for usual, series, function in (
        (USUAL_CHURNED, CHURNED, "max"),
        (USUAL_ACTIVE, ACTIVE, "min"),
    ):
        days = (_around(series, function, ago, pace) for ago in (WEEK, FORTNIGHT, DAY))
        yield Record(usual, _of_days(*days))
    raw = "site:engagement_live_visitors:max"
    yield Record(LIVE, f"avg_over_time({raw}[{pace.of(10 * MINUTE)}])")
    yield Record(USUAL_LIVE, f"{of_hours(raw, pace)}\nor\n{same_hour(raw, DAY, pace)}")


def _of_days(week: str, fortnight: str, yesterday: str) -> str:
    """Build the middle of three days; without two weeks that of a week ago, or else of yesterday.

    One week alone does not tell an incident from a rhythm of the week.
    """
    three = f"({middle(week, fortnight, yesterday)}\nand\n{fortnight})"
    return f"{three}\nor\n{week}\nor\n{yesterday}"


def _around(series: str, function: str, ago: float, pace: Pace) -> str:
    """Build the lowest or highest value within an hour of this time, for a number of the day.

    That is on the safe side when a day has just begun, and after a change of the clocks.
    """
    return f"{function}_over_time({series}[{pace.of(2 * HOUR)}] offset {pace.of(ago - HOUR)})"
