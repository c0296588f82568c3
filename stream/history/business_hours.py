"""Business hours: how much of a span of time falls into the hours that support keeps."""

from datetime import date, datetime, time

from stream.counters.calendar import Calendar
from stream.settings.customers import SupportSettings

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class BusinessHours:
    """The hours of the settings, in the zone of whoever asks; without any, all time counts."""

    def __init__(self, settings: SupportSettings) -> None:
        opens, _, closes = settings.business_hours.partition("-")
        self._hours = (time.fromisoformat(opens), time.fromisoformat(closes)) if closes else None
        self._days = {_DAYS.index(day) for day in settings.business_days}
        self._holidays = {date.fromisoformat(day) for day in settings.holidays}

    def between(self, start_ms: int, end_ms: int, calendar: Calendar) -> int:
        """Milliseconds of business between two instants."""
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
