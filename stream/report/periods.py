"""Periods that a report is asked for: how far the data are complete, and a range of days."""

from dataclasses import dataclass
from datetime import date, datetime, time

from stream.counters.calendar import Calendar

#: The engine refuses events outside these years.
_YEARS = range(1990, 2200)


@dataclass(frozen=True, slots=True)
class Complete:
    """The time up to which the data are complete. Without a zone it is the local time of each site."""

    moment: datetime

    def ms_in(self, calendar: Calendar) -> int:
        """Return it in epoch ms."""
        moment = self.moment
        if moment.tzinfo is None:
            if moment.time() == time.min:  # A clock change may skip midnight.
                return calendar.day_start_ms(moment.toordinal())
            moment = moment.replace(tzinfo=calendar.zone)
        return round(moment.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days first … last as ordinals, in the zone of each site. None: as far as there are events."""

    first: int | None = None
    last: int | None = None

    @property
    def days(self) -> tuple[int, int]:
        """First and last day with numbers in place of None."""
        return self.first or 1, self.last or date.max.toordinal()

    def __str__(self) -> str:
        first, last = (
            "" if day is None else f"{date.fromordinal(day):%Y-%m-%d}"
            for day in (self.first, self.last)
        )
        return " ".join(filter(None, (first and f"from {first}", last and f"to {last}")))


def parse_day(text: str) -> date:
    """Read a date. Raises ValueError with the reason."""
    day = _date(text)
    if day is None:
        raise ValueError(f"{text!r} is no date such as 2024-02-29")
    _check_year(day)
    return day


def parse_complete(text: str) -> Complete:
    """Read a time, or a date, which is complete to its end. Raises ValueError with the reason."""
    day = _date(text)
    if day is not None:
        _check_year(day)
        return Complete(datetime.fromordinal(day.toordinal() + 1))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no date such as 2024-02-29 and no time such as 2024-02-29T18:00Z"
        ) from None
    _check_year(moment)
    return Complete(moment)


def _date(text: str) -> date | None:
    """Read a date; None if the text is none. `fromisoformat` also takes 20240229."""
    try:
        return date.fromisoformat(text) if len(text) == len("2024-02-29") else None
    except ValueError:
        return None


def _check_year(day: date) -> None:
    if day.year not in _YEARS:
        raise ValueError(f"{day:%Y-%m-%d} is outside {_YEARS[0]} to {_YEARS[-1]}")
