"""Numbers of people with their usual values at this time of day."""

from collections.abc import Iterator

from agents.monitoring.rules.pace import DAY, HOUR, MINUTE, WEEK, Pace
from agents.monitoring.rules.rule import Record
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
    """Yield usual values: a week ago, or yesterday; never the mean of a day, since nights are quiet."""
    yield Record(USUAL_CHURNED, _around(CHURNED, "max", pace))
    yield Record(USUAL_ACTIVE, _around(ACTIVE, "min", pace))
    raw = "site:engagement_live_visitors:max"
    yield Record(LIVE, f"avg_over_time({raw}[{pace.of(10 * MINUTE)}])")
    hour = pace.of(HOUR)
    usual = [
        f"avg_over_time({raw}[{hour}] offset {pace.of(ago - HOUR / 2)})" for ago in (WEEK, DAY)
    ]
    yield Record(USUAL_LIVE, "\nor\n".join(usual))


def _around(series: str, function: str, pace: Pace) -> str:
    """Build the lowest or highest value within an hour of this time, for a number of the day.

    That is on the safe side when a day has just begun, and after a change of the clocks.
    """
    window = pace.of(2 * HOUR)
    usual = [
        f"{function}_over_time({series}[{window}] offset {pace.of(ago - HOUR)})"
        for ago in (WEEK, DAY)
    ]
    return "\nor\n".join(usual)
