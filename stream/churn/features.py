"""Features and label of the churn model, both read from a person's active days.

Features read only the days up to a given day; the label reads only the days after it. The past of
any person can be rebuilt from the same bitmap, so nothing else is stored.
"""

from math import log
from typing import NamedTuple

from stream.people.active_days import Bitmap

#: A person without an active day in this many days has left: no risk is predicted.
WINDOW_DAYS = 28
_WINDOW, _WEEK, _FORTNIGHT = (1 << WINDOW_DAYS) - 1, (1 << 7) - 1, (1 << 14) - 1
#: Number of the last age class: half a year and more.
_AGES = 8


class Features(NamedTuple):
    """A person at the end of a day. The values are few, so that people can be counted by them."""

    #: Days since the last active day.
    recency: int
    #: Active days in the last 7 days, in the 7 before, and in the 14 before those.
    week: int
    week_before: int
    earlier: int
    #: Days since the first active day, in classes that double.
    age: int
    #: Whether the person has a paid subscription.
    pays: bool

    def inputs(self) -> dict[str, float]:
        """Return the inputs of the model, each from 0 to 1."""
        days = self.week + self.week_before + self.earlier
        return {
            "recency": log(1 + self.recency) / log(WINDOW_DAYS),
            "week": self.week / 7,
            "week_before": self.week_before / 7,
            "earlier": self.earlier / 14,
            "age": self.age / _AGES,
            "once": float(days == 1),
            "pays": float(self.pays),
        }


def features_at(bitmap: Bitmap, day: int, pays: bool) -> Features | None:
    """Return a person's features at the end of a day; None without an active day in WINDOW_DAYS."""
    days = _days_to(bitmap, day) & _WINDOW
    if not days:
        return None
    return Features(
        recency=(days & -days).bit_length() - 1,
        week=(days & _WEEK).bit_count(),
        week_before=(days >> 7 & _WEEK).bit_count(),
        earlier=(days >> 14 & _FORTNIGHT).bit_count(),
        age=min(max(day - bitmap[2], 0).bit_length(), _AGES),
        pays=pays,
    )


def stayed_away(bitmap: Bitmap, day: int, horizon_days: int) -> bool:
    """Return whether the person has no active day in the `horizon_days` after a day."""
    return not _days_to(bitmap, day + horizon_days) & ((1 << horizon_days) - 1)


def _days_to(bitmap: Bitmap, day: int) -> int:
    """Return the bitmap with the day as bit 0, without the days after it."""
    ahead = bitmap[0] - day
    return bitmap[1] >> ahead if ahead >= 0 else bitmap[1] << -ahead
