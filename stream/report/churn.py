"""The churn-risk model over files: every day is settled in its turn, as a worker does when the log has gone on."""

from collections.abc import Iterator

from stream.churn.assess import Assessed, assess
from stream.churn.risk import ChurnRisk
from stream.counters.measures import Grain
from stream.engine.shard import Shard


def settle_days(shard: Shard) -> Iterator[tuple[int, list[Assessed]]]:
    """Each day with the people whose risk was told at its end; the days of a file end with its events.

    Nothing when the model is switched off.
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
    yield from assess_days(shard, risk)


def assess_days(shard: Shard, risk: ChurnRisk) -> Iterator[tuple[int, list[Assessed]]]:
    """The looks that are due, each at everybody at once: the people of a shard that are in memory."""
    while assessment := risk.begin():
        people = enumerate(shard.people.young.values())
        yield (
            assessment.day,
            list(assess(assessment, people, shard.registry, shard.rules.calendar_of)),
        )
        risk.finish(shard.counters, shard.registry)


def last_day(shard: Shard) -> int:
    """The day of the newest event, where it is still the earliest."""
    assert shard.churn_risk is not None
    clock = max(state.clock for state in shard.topics.values())
    return min(calendar.day_of(clock) for calendar in shard.churn_risk.rules.calendars)
