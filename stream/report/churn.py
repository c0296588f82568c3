"""Runs the churn-risk model over files, day by day as a worker does while the log grows."""

from collections.abc import Callable, Iterable, Iterator

from stream.churn.assess import Assessed, assess
from stream.churn.risk import ChurnRisk
from stream.counters.measures import Grain
from stream.engine.shard import Shard
from stream.people.person import Person


def settle_days(
    shard: Shard, people: Callable[[], Iterable[Person]]
) -> Iterator[tuple[int, list[Assessed]]]:
    """Yield each day with its people and their risks; none if the model is switched off.

    `people` yields everyone.

    The last day is that of the newest event.
    """
    risk = shard.churn_risk
    if risk is None:
        return
    shard.count_collected()
    days = shard.counters.tables[Grain.DAY]
    if not days:
        return
    end_ms = max(c.day_start_ms(last_day(shard) + 1) for c in risk.rules.calendars)
    risk.checkpoint_taken(0, end_ms, min(days))
    risk.checkpoint_stored()
    yield from assess_days(shard, risk, people)


def assess_days(
    shard: Shard, risk: ChurnRisk, people: Callable[[], Iterable[Person]]
) -> Iterator[tuple[int, list[Assessed]]]:
    """Yield the assessments that are due, each over everyone."""
    while assessment := risk.begin():
        judged = assess(assessment, enumerate(people()), shard.registry, shard.rules.calendar_of)
        yield assessment.day, list(judged)
        risk.finish(shard.counters, shard.registry)


def last_day(shard: Shard) -> int:
    """Day of the newest event, in the time zone where that day is the earliest."""
    assert shard.churn_risk is not None
    clock = max(state.clock for state in shard.topics.values())
    return min(calendar.day_of(clock) for calendar in shard.churn_risk.rules.calendars)
