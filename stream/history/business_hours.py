"""Business hours: the part of a span of time that falls into the hours of support."""

from datetime import date, datetime, time

from stream.counters.calendar import Calendar
from stream.settings.customers import SupportSettings

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class BusinessHours:
    """The hours of `[support]`, in the zone of the calendar passed in; without hours all time counts."""

    def __init__(self, settings: SupportSettings) -> None:
        opens, _, closes = settings.business_hours.partition("-")
        self._hours = (time.fromisoformat(opens), time.fromisoformat(closes)) if closes else None
        self._days = {_DAYS.index(day) for day in settings.business_days}
        self._holidays = {date.fromisoformat(day) for day in settings.holidays}

    def between(self, start_ms: int, end_ms: int, calendar: Calendar) -> int:
        """Return the business time in ms between two instants in epoch ms."""
        if self._hours is None:
            return end_ms - start_ms
        total = 0
        for ordinal in range(calendar.day_of(start_ms), calendar.day_of(end_ms) + 1):
            day = date.fromordinal(ordinal)
            if day.weekday() in self._days and day not in self._holidays:
                opens, closes = (
                    round(datetime.combine(day, hour, calendar.zone).timestamp() * 1000)
                    for hour in self._hours
                )
                total += max(min(closes, end_ms) - max(opens, start_ms), 0)
        return total
