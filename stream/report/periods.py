"""Periods that a report is asked for: the time up to which the data are complete."""

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
