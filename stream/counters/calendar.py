"""Calendar arithmetic in one time zone: the local day, hour, week and month of an instant."""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
#: Every offset change since 1990 falls on a quarter of an hour, so one answer serves 15 minutes.
SLOT_MS = 900_000
_CACHE_MAX = 100_000
_UTC = ZoneInfo("UTC")


class Calendar:
    """A time zone with a first day of the week, and caches of its answers.

    A day is a date ordinal (`date.toordinal`). An hour is the epoch minute at which it begins.
    Days of 23 and 25 hours follow the zone's clock changes.
    Raises `zoneinfo.ZoneInfoNotFoundError` for an unknown zone.
    """

    __slots__ = ("_day_starts", "_minutes_past", "_slots", "timezone", "week_start", "zone")

    def __init__(self, timezone: str = "UTC", week_start: str = "monday") -> None:
        self.timezone = timezone
        self.zone = ZoneInfo(timezone)
        self.week_start = week_start
        self._slots: dict[int, tuple[int, int]] = {}
        self._day_starts: dict[int, int] = {}
        #: Year → minutes past the full hour of UTC at which its rolling hours begin.
        self._minutes_past: dict[int, int] = {}

    def slot(self, time_ms: int) -> tuple[int, int]:
        """Return (day, hour) of an instant in epoch ms."""
        index = time_ms // SLOT_MS
        found = self._slots.get(index)
        if found is None:
            found = self._slots[index] = self._compute(index * SLOT_MS)
            if len(self._slots) > _CACHE_MAX:
                self._slots.clear()
        return found

    def day_of(self, time_ms: int) -> int:
        """Return the ordinal of the local day of an instant in epoch ms."""
        return self.slot(time_ms)[0]

    def hour_of(self, time_ms: int) -> int:
        """Return the epoch minute at which the local hour of an instant in epoch ms begins."""
        return self.slot(time_ms)[1]

    def rolling_hour_of(self, time_ms: int) -> int:
        """Return the epoch minute at which the hour of rolling windows at an instant begins.

        These hours are all 60 minutes long, so that 24 of them are a day. Where a clock moves by half
        an hour within the year, they keep the full hours of its first day.
        """
        year = date.fromordinal(self.day_of(time_ms)).year
        past = self._minutes_past.get(year)
        if past is None:
            midnight = self.day_start_ms(date(year, 1, 1).toordinal()) // MINUTE_MS
            past = self._minutes_past[year] = midnight % 60
        return (time_ms // MINUTE_MS - past) // 60 * 60 + past

    def _compute(self, time_ms: int) -> tuple[int, int]:
        day = datetime.fromtimestamp(time_ms / 1000, self.zone).toordinal()
        # Hours start at the day's first instant. Where a clock moves by half an hour, they neither
        # overlap nor leave a gap; the last hour of that day is short.
        midnight = self.day_start_ms(day) // MINUTE_MS
        return day, midnight + (time_ms // MINUTE_MS - midnight) // 60 * 60

    def hour_end_ms(self, hour: int) -> int:
        """Return the first instant after an hour, in epoch ms."""
        start = hour * MINUTE_MS
        return min(start + HOUR_MS, self.day_start_ms(self.day_of(start) + 1))

    def day_start_ms(self, day: int) -> int:
        """Return the first instant of a local day, in epoch ms."""
        found = self._day_starts.get(day)
        if found is None:
            midnight = datetime.combine(date.fromordinal(day), datetime.min.time(), self.zone)
            # Converting through UTC also resolves a midnight that a clock change skips.
            found = self._day_starts[day] = round(midnight.astimezone(_UTC).timestamp()) * 1000
        return found

    def week_of(self, day: int) -> int:
        """Return the first day of the week that contains a day."""
        # Ordinal 1 is a Monday.
        return day - ((day - 1) % 7 if self.week_start == "monday" else day % 7)

    def month_of(self, day: int) -> int:
        """Return the first day of the calendar month that contains a day."""
        return month_of(day)

    def next_month(self, day: int) -> int:
        """Return the first day of the calendar month after the one that contains a day."""
        return month_of(month_of(day) + 31)

    def rfc3339(self, time_ms: int) -> str:
        """Format an instant in epoch ms as RFC 3339 in this zone, with ms only if they are not zero."""
        local = datetime.fromtimestamp(time_ms // 1000, self.zone)
        # `replace` keeps `fold`, which tells two equal local times apart; adding a timedelta drops it.
        local = local.replace(microsecond=time_ms % 1000 * 1000)
        return local.isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=10_000)
def month_of(day: int) -> int:
    """Return the first day of the calendar month that contains a day."""
    return date.fromordinal(day).replace(day=1).toordinal()
