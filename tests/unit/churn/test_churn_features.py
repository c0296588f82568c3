"""Features of a person at the end of a day depend only on the days up to it."""

import pytest

from stream.churn.features import WINDOW_DAYS, Features, features_at, stayed_away
from stream.counters.calendar import DAY_MS
from stream.history.customer import pays_at
from stream.history.subscriptions import SubscriptionEvent
from stream.people.active_days import Bitmap, add_unit

DAY = 738_000


def active_on(*days: int) -> Bitmap:
    """Return the active days of a person, added in the given order."""
    bitmap: Bitmap | None = None
    for day in days:
        bitmap = (*add_unit(bitmap, day), min(days))
    assert bitmap is not None
    return bitmap


def test_features_are_recency_frequency_and_age() -> None:
    bitmap = active_on(DAY - 100, DAY - 20, DAY - 8, DAY - 3, DAY - 2)
    assert features_at(bitmap, DAY, True) == Features(
        recency=2, week=2, week_before=1, earlier=1, age=7, pays=True
    )


def test_later_days_change_no_features_of_an_earlier_one() -> None:
    before = active_on(DAY - 9, DAY - 1)
    for later in ((DAY + 1,), (DAY + 1, DAY + 5, DAY + 40)):
        after = active_on(DAY - 9, DAY - 1, *later)
        assert features_at(after, DAY, False) == features_at(before, DAY, False)


def test_features_exist_from_the_first_day_until_a_window_after_the_last() -> None:
    bitmap = active_on(DAY)
    assert features_at(bitmap, DAY - 1, False) is None
    assert features_at(bitmap, DAY + WINDOW_DAYS - 1, False) is not None
    assert features_at(bitmap, DAY + WINDOW_DAYS, False) is None


@pytest.mark.parametrize(
    ("came", "away"), [((), True), ((1,), False), ((14,), False), ((15,), True), ((0, 15), True)]
)
def test_a_person_who_comes_within_the_horizon_has_not_stayed_away(
    came: tuple[int, ...], away: bool
) -> None:
    bitmap = active_on(DAY, *(DAY + n for n in came))
    assert stayed_away(bitmap, DAY, 14) is away


def test_inputs_are_between_zero_and_one() -> None:
    every_day = active_on(*range(DAY - 400, DAY + 1))
    for bitmap in (every_day, active_on(DAY), active_on(DAY - 27)):
        found = features_at(bitmap, DAY, True)
        assert found is not None
        assert all(0 <= value <= 1 for value in found.inputs().values()), found


def test_a_customer_pays_until_the_end_takes_effect() -> None:
    start = SubscriptionEvent(10 * DAY_MS, "started", "s", 1_000)
    end = SubscriptionEvent(20 * DAY_MS, "ended", "s")
    assert [pays_at([start, end], day * DAY_MS) for day in (9, 10, 19, 20)] == [
        False, True, True, False,
    ]  # fmt: skip
    announced = SubscriptionEvent(12 * DAY_MS, "cancelled", "s", effective_ms=15 * DAY_MS)
    assert [pays_at([start, announced], day * DAY_MS) for day in (14, 15)] == [True, False]
    trial = SubscriptionEvent(10 * DAY_MS, "started", "s", 1_000, trial=True)
    assert not pays_at([trial], 11 * DAY_MS)
