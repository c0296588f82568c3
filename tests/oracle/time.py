"""Windows of time, found by reading the wall clock instant by instant."""

from datetime import date, datetime
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
#: metrics.md, DAU / WAU / MAU: WAU is 7 and MAU 28 calendar days ending today; churn is over 30.
ROLLING_DAYS = {
    "trailing_7d": 7,
    "trailing_28d": 28,
    "trailing_30d": 30,
    "trailing_90d": 90,
    "trailing_365d": 365,
}
#: metrics.md, "active now": 5 minutes; bounce and click-through: trailing hour.
ROLLING_MINUTES = {"minute": 1, "trailing_5m": 5, "trailing_30m": 30, "trailing_1h": 60}
#: metrics.md: DAU as the "last 24 h", WAU "by hour = 168 h window".
ROLLING_HOURS = {"trailing_24h": 24, "trailing_168h": 168}


class Window(NamedTuple):
    """Window [start, end) in epoch ms; `all` has neither."""

    kind: str
    start_ms: int | None
    end_ms: int | None


class Wall(NamedTuple):
    """Wall clock of a site."""

    timezone: str
    week_start: str = "monday"

    def at(self, time_ms: int) -> datetime:
        """Return the time on the clock at an instant."""
        return datetime.fromtimestamp(time_ms / 1000, ZoneInfo(self.timezone))

    def day(self, time_ms: int) -> int:
        """Return the date on the clock, as an ordinal."""
        return self.at(time_ms).toordinal()

    def midnight(self, day: int) -> int:
        """Return the first instant of this date or a later one: some zones skip midnight or a day."""
        return _midnight(self, day)

    def windows(self, kind: str, time_ms: int) -> list[Window]:
        """Return every window of a kind that contains an instant."""
        if kind == "all":
            return [Window(kind, None, None)]
        if kind in ROLLING_MINUTES:
            length, minute = ROLLING_MINUTES[kind], time_ms // MINUTE_MS
            return [
                Window(kind, (last - length + 1) * MINUTE_MS, (last + 1) * MINUTE_MS)
                for last in range(minute, minute + length)
            ]
        if kind == "hour":
            return [_hour(self, time_ms // MINUTE_MS)]
        if kind in ROLLING_HOURS:
            # Full hours of the clock as it stands at the turn of the year, each of 60 minutes.
            length = ROLLING_HOURS[kind] * HOUR_MS
            full = self.midnight(date(self.at(time_ms).year, 1, 1).toordinal())
            end = time_ms + HOUR_MS - (time_ms - full) % HOUR_MS
            ends = range(end, end + length, HOUR_MS)
            return [Window(kind, end_ms - length, end_ms) for end_ms in ends]
        return self.day_windows(kind, self.day(time_ms))

    def day_windows(self, kind: str, day: int) -> list[Window]:
        """Return every window of a kind made of days that contains a day."""
        if kind in ROLLING_DAYS:
            length = ROLLING_DAYS[kind]
            spans = [(last - length + 1, last) for last in range(day, day + length)]
        elif kind == "week":
            first_weekday = 0 if self.week_start == "monday" else 6
            spans = [
                next((d, d + 6) for d in range(day, day - 7, -1) if _weekday(d) == first_weekday)
            ]
        elif kind == "month":
            month = [d for d in range(day - 31, day + 32) if _month(d) == _month(day)]
            spans = [(month[0], month[-1])]
        else:
            spans = [(day, day)]
        return [Window(kind, self.midnight(a), self.midnight(b + 1)) for a, b in spans]

    def is_window(self, window: Window) -> bool:
        """Return whether the window exists."""
        if window.start_ms is None:
            return window == Window("all", None, None)
        return window in self.windows(window.kind, window.start_ms)


def _weekday(day: int) -> int:
    return date.fromordinal(day).weekday()


def _month(day: int) -> tuple[int, int]:
    return date.fromordinal(day).year, date.fromordinal(day).month


@cache
def _midnight(wall: Wall, day: int) -> int:
    # All zones are within 16 hours of UTC and change their clocks on a quarter hour.
    utc = (day - date(1970, 1, 1).toordinal()) * DAY_MS
    quarters = range(utc - 16 * 60 * MINUTE_MS, utc + 16 * 60 * MINUTE_MS, 15 * MINUTE_MS)
    return next(instant for instant in quarters if wall.day(instant) >= day)


@cache
def _hour(wall: Wall, minute: int) -> Window:
    """Return the hour that contains a minute.

    Hours count from the first instant of the day. So they neither overlap nor leave a gap where a
    clock moves by half an hour; the last hour of such a day is short.
    """
    day = wall.day(minute * MINUTE_MS)
    start, next_day = wall.midnight(day), wall.midnight(day + 1)
    while start + 60 * MINUTE_MS <= minute * MINUTE_MS:
        start += 60 * MINUTE_MS
    return Window("hour", start, min(start + 60 * MINUTE_MS, next_day))
