"""Business hours: the part of a time span that falls into them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from stream.counters.calendar import Calendar
from stream.history.business_hours import BusinessHours
from stream.settings.customers import SupportSettings

HOUR_MS = 3_600_000
BERLIN = Calendar("Europe/Berlin")
NINE_TO_FIVE = BusinessHours(
    SupportSettings(business_hours="09:00-17:00", holidays=("2024-12-25",))
)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=BERLIN.zone).timestamp() * 1000)


def hours(start: str, end: str) -> float:
    return NINE_TO_FIVE.between(at(start), at(end), BERLIN) / HOUR_MS


def test_without_hours_all_time_counts() -> None:
    assert BusinessHours(SupportSettings()).between(5, 12, BERLIN) == 7


def test_a_night_does_not_count() -> None:
    assert hours("2024-04-02T16:00", "2024-04-03T10:00") == 2
    assert hours("2024-04-02T18:00", "2024-04-02T23:00") == 0


def test_a_weekend_does_not_count() -> None:
    assert hours("2024-04-05T16:30", "2024-04-08T09:30") == 1  # Friday to Monday.


def test_a_holiday_does_not_count() -> None:
    assert hours("2024-12-24T16:00", "2024-12-26T10:00") == 2


def test_business_hours_follow_the_clock_of_the_site() -> None:
    # Clocks change in the night to 31 March: Friday 9 to 5 and Monday 9 to 5, by either clock.
    assert hours("2024-03-29T00:00", "2024-04-02T00:00") == 16
    utc = NINE_TO_FIVE.between(at("2024-04-02T09:00"), at("2024-04-02T12:00"), Calendar())
    assert utc / HOUR_MS == 1  # At nine in Berlin it is seven in UTC.
    assert ZoneInfo("Europe/Berlin") == BERLIN.zone
