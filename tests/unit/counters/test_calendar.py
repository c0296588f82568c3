"""Days, hours, weeks and months of a zone, through every kind of clock change."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from stream.counters.calendar import MINUTE_MS, SLOT_MS, Calendar
from stream.counters.windows import span_at

HOUR_MS = 3_600_000
#: Zone, a day with a clock change, and the number of hours of that day.
CHANGES = [
    ("America/New_York", date(2024, 3, 10), 23.0),
    ("America/New_York", date(2024, 11, 3), 25.0),
    ("Europe/Berlin", date(2024, 3, 31), 23.0),
    ("Australia/Lord_Howe", date(2024, 4, 7), 24.5),
    ("Australia/Lord_Howe", date(2024, 10, 6), 23.5),
    ("America/Sao_Paulo", date(2018, 11, 4), 23.0),  # Its midnight is skipped.
    ("America/Havana", date(2024, 11, 3), 25.0),  # The hour after midnight occurs twice.
    ("Pacific/Apia", date(2011, 12, 30), 0.0),  # The whole day is skipped.
    ("Asia/Kolkata", date(2024, 3, 10), 24.0),
    ("Asia/Kathmandu", date(2024, 3, 10), 24.0),
]
changes = pytest.mark.parametrize(("timezone", "day", "hours"), CHANGES)


@changes
def test_a_day_has_the_hours_of_its_zone(timezone: str, day: date, hours: float) -> None:
    calendar, ordinal = Calendar(timezone), day.toordinal()
    length = calendar.day_start_ms(ordinal + 1) - calendar.day_start_ms(ordinal)
    assert length == hours * HOUR_MS


@changes
def test_every_instant_is_in_the_day_that_the_clock_shows(
    timezone: str, day: date, hours: float
) -> None:
    calendar, zone = Calendar(timezone), ZoneInfo(timezone)
    start = calendar.day_start_ms(day.toordinal() - 1)
    for time_ms in range(start, start + 72 * HOUR_MS, SLOT_MS):
        for near in (time_ms, time_ms - 1):
            shown = datetime.fromtimestamp(near / 1000, zone).toordinal()
            assert calendar.day_of(near) == shown
            assert calendar.day_start_ms(shown) <= near < calendar.day_start_ms(shown + 1)


@changes
def test_hours_cover_the_time_without_a_gap_or_an_overlap(
    timezone: str, day: date, hours: float
) -> None:
    calendar = Calendar(timezone)
    start = calendar.day_start_ms(day.toordinal() - 1)
    end = calendar.day_start_ms(day.toordinal() + 2)
    spans = {span_at("hour", time_ms, calendar) for time_ms in range(start, end, SLOT_MS)}
    edges = sorted((span.start_ms(calendar), span.end_ms(calendar)) for span in spans)
    assert edges[0][0] == start
    assert edges[-1][1] == end
    assert all(left[1] == right[0] for left, right in pairwise(edges))


@changes
def test_every_instant_is_written_so_that_it_can_be_read_back(
    timezone: str, day: date, hours: float
) -> None:
    calendar = Calendar(timezone)
    start = calendar.day_start_ms(day.toordinal() - 1)
    for time_ms in range(start, start + 72 * HOUR_MS, SLOT_MS):
        for near in (time_ms, time_ms + 1):
            text = calendar.rfc3339(near)
            back = datetime.fromisoformat(text) - datetime.fromisoformat("1970-01-01T00:00Z")
            assert back == timedelta(milliseconds=near), text


def test_utc_is_written_with_a_z() -> None:
    assert Calendar().rfc3339(1_709_208_000_000) == "2024-02-29T12:00:00Z"
    assert Calendar().rfc3339(1_709_208_000_250) == "2024-02-29T12:00:00.250000Z"


def test_hours_begin_as_in_the_zone() -> None:
    noon_ms = 1_709_208_000_000
    assert Calendar().hour_of(noon_ms + 59 * MINUTE_MS) * MINUTE_MS == noon_ms
    # In Kolkata it is half past five.
    assert Calendar("Asia/Kolkata").hour_of(noon_ms) * MINUTE_MS == noon_ms - 30 * MINUTE_MS


@pytest.mark.parametrize("weekday", range(7))
def test_a_week_begins_on_monday_or_on_sunday(weekday: int) -> None:
    monday = date(2024, 2, 26).toordinal()
    assert Calendar().week_of(monday + weekday) == monday
    sunday = monday - 1
    assert Calendar(week_start="sunday").week_of(sunday + weekday) == sunday


def test_months_have_their_own_lengths() -> None:
    leap = date(2024, 2, 29).toordinal()
    assert Calendar().month_of(leap) == date(2024, 2, 1).toordinal()
    assert Calendar().next_month(leap) == date(2024, 3, 1).toordinal()
    assert Calendar().next_month(date(2023, 12, 31).toordinal()) == date(2024, 1, 1).toordinal()


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        Calendar("Mars/Olympus")
