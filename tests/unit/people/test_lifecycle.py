"""Changes by one more active day: the same sums in any order, and only the last two months matter."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import permutations

import pytest

from stream.counters import measures
from stream.counters.calendar import Calendar
from stream.counters.measures import Grain
from stream.metrics.catalogue import catalogue
from stream.people.active_days import REACH_DAYS, Bitmap, add_unit, trim
from stream.people.lifecycle import (
    NEVER,
    Days,
    FirstDays,
    LifecycleRules,
    Return,
    changes,
    known_around,
    steps,
)
from stream.people.person import BITMAP_DAYS
from stream.publish.merged_counts import MergedCounts
from stream.publish.snapshot import gauges
from stream.settings.application import Settings
from tests.unit.publish.test_records import DAY, DAY_MS, SITE, START_MS, Publication

UTC = Calendar()
RULES = LifecycleRules(
    of_new=(Return("new", 1, 6), Return("twice", 1, 8, least=2)),
    of_active=(Return("active", 7, 7),),
    first_days=FirstDays("first_days", 8),
    lookback_days=30,
    interval_is_week=True,
)
Sums = Counter[tuple[str, int]]


def on(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def sums(days: Iterable[int], oldest: int | None = None) -> Sums:
    """Return the sum of all changes; days older than `oldest` are forgotten."""
    found: Sums = Counter()
    bitmap: Bitmap | None = None
    for day in days:
        known = known_around(bitmap, day)
        for change in changes(known, day, RULES, UTC):
            found[change.measure, change.day] += change.by
        for step in steps(known, day, RULES, UTC):
            found[f"{step.measure} {step.before}", step.day] -= step.before > 0
            found[f"{step.measure} {step.before + 1}", step.day] += 1
        first = min(day, bitmap[2]) if bitmap else day
        bitmap = (*add_unit(bitmap, day), first)
        if oldest is not None:
            bitmap = trim(bitmap, max(bitmap[0] - oldest, 0))
    return Counter({key: count for key, count in found.items() if count})


def test_the_order_of_days_changes_nothing() -> None:
    days = [DAY, DAY + 1, DAY + 7, DAY + 8, DAY + 31]
    expected = sums(days)
    assert all(sums(order) == expected for order in permutations(days))
    assert (expected["new", DAY], expected["twice", DAY], expected["first_days", DAY]) == (1, 1, 3)
    assert [day for name, day in expected if name == "new_after_30d_day"] == [DAY]


def test_days_beyond_the_reach_change_nothing() -> None:
    days = [on("2024-01-01"), on("2024-05-30"), on("2024-07-01"), on("2024-08-31")]
    assert sums(days) == sums(days, oldest=REACH_DAYS)


def test_the_whole_month_before_is_remembered() -> None:
    # The first of July and the last of August: days of two adjacent months are at most this far
    # apart.
    days = [on("2024-07-01"), on("2024-08-31")]
    assert days[1] - days[0] == REACH_DAYS
    assert sums(days, REACH_DAYS)[measures.RETAINED_MONTH, on("2024-08-01")] == 1
    # In another zone the oldest day may be one day earlier.
    assert BITMAP_DAYS > REACH_DAYS


def test_pasts_that_differ_beyond_the_reach_are_equal() -> None:
    assert known_around(None, DAY) == Days(DAY, 0, NEVER)
    long_ago = known_around((DAY - 200, 0b111, DAY - 300), DAY)
    assert long_ago == known_around((DAY - 62, 1, DAY - 62), DAY)
    assert known_around((DAY - 1, 1 | 1 << 90, DAY - 91), DAY) == (DAY - 1, 1, DAY - REACH_DAYS)


def test_a_person_who_came_once_is_dormant_in_the_next_day_week_and_month() -> None:
    found = sums([DAY])
    assert found[measures.DORMANT_DAY, DAY + 1] == 1
    assert found[measures.DORMANT_WEEK, UTC.week_of(DAY) + 7] == 1
    assert found[measures.DORMANT_MONTH, UTC.next_month(DAY)] == 1
    assert not {measure for measure, _ in found if measure.startswith("retained")}


def test_one_active_day_is_a_churn_risk_from_one_week_to_four() -> None:
    days = [day for measure, day in sums([DAY]) if measure == measures.CHURN_RISK_DAY]
    assert sorted(days) == list(range(DAY + 7, DAY + 28))


def test_an_older_first_day_moves_a_person_to_its_cohort() -> None:
    assert sums([DAY, DAY + 2])["new", DAY] == 1
    moved = sums([DAY, DAY + 2, DAY - 20])
    assert {day for measure, day in moved if measure == "new"} == set()
    nearer = sums([DAY, DAY + 2, DAY - 3])
    assert {day for measure, day in nearer if measure == "new"} == {DAY - 3}


def test_every_active_day_has_a_cohort_of_its_own() -> None:
    found = sums([DAY, DAY + 7, DAY + 14])
    assert {day for measure, day in found if measure == "active"} == {DAY, DAY + 7}


# ---- publication


def cohort_of(day: int, room: Publication) -> None:
    room.count(Grain.DAY, day, new_people_day=4, back_new_n_day_7=3)


def test_a_cohort_is_published_when_its_last_day_is_final_and_corrected_later() -> None:
    room = Publication("retention_d7", "new_visitors", kinds=["day"])
    cohort_of(DAY, room)
    end_ms = START_MS + 8 * DAY_MS
    assert {record.metric for record in room.due(end_ms - 1, end_ms)} == {"new_visitors"}
    [record] = room.due(end_ms, end_ms + 1)
    assert (record.metric, record.value, record.is_final) == ("retention_d7", 0.75, True)
    room.count(Grain.DAY, DAY, new_people_day=4, back_new_n_day_7=4)
    [again] = room.due(end_ms, end_ms + 2)
    assert (again.value, again.is_final) == (1, True)
    assert again.revision > record.revision


def test_a_cohort_cut_off_by_the_end_of_a_file_is_not_published() -> None:
    room = Publication("retention_d7", kinds=["day"])
    cohort_of(DAY, room)
    room.count(Grain.DAY, DAY + 6)
    assert room.due(1 << 60) == []


@pytest.mark.parametrize(
    ("metric", "window", "expected"),
    [
        # Friday, 1 March 2024 is the newest day: the last cohort with a completed 7th day.
        ("retention_d7", "day", 0.75),
        ("dormant_users", "day", 20),
        ("dormant_users", "week", 30),
        ("dormant_users", "month", 40),
        # Everyone returned last month: 0 is an answer.
        ("retained_users", "month", 0),
    ],
)
def test_a_gauge_shows_the_last_completed_period(metric: str, window: str, expected: float) -> None:
    merged = MergedCounts(lambda site: UTC, "version")
    measured = {"day": measures.DORMANT_DAY, "week": measures.DORMANT_WEEK}
    week, month = UTC.week_of(DAY) - 7, UTC.month_of(DAY - 1)
    for day, counts in (
        (DAY - 8, {measures.NEW_DAY: 4, "back_new_n_day_7": 3}),
        (DAY - 1, {measured["day"]: 20}),
        (week, {measured["week"]: 30}),
        (month, {measures.DORMANT_MONTH: 40}),
        (DAY, {measured["day"]: 1, measures.DORMANT_MONTH: 2, measures.RETAINED_MONTH: 9}),
        (UTC.week_of(DAY), {measured["week"]: 3}),
    ):
        merged.replace((Grain.DAY, day), [{(name, SITE): count for name, count in counts.items()}])
    chosen = [one for one in catalogue(Settings()) if one.name == metric]
    found = {gauge.window: gauge.value for gauge in gauges(merged, chosen, START_MS + 1)}
    assert found[window] == expected
