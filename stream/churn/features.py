"""What a person's active days say about their coming back: numbers as of the end of a day, and what came of it.

Only days up to that one are looked at, so the past of anybody can be rebuilt later from the same mask,
and nothing has to be kept for each person. The label looks only at the days after it.
"""

from math import log
from typing import NamedTuple

from stream.people.active_days import Mark

#: Who was not active on any of so many days is out: nothing is predicted for them any more.
WINDOW_DAYS = 28
_WINDOW, _WEEK, _FORTNIGHT = (1 << WINDOW_DAYS) - 1, (1 << 7) - 1, (1 << 14) - 1
#: Half a year and more is one age.
_AGES = 8


class Features(NamedTuple):
    """A person at the end of a day. Few enough are different that people can be counted by them."""

    #: Days since the last active one.
    recency: int
    #: Active days of the last 7, of the 7 before, and of the 14 before those.
    week: int
    week_before: int
    earlier: int
    #: Days since the first one ever, in steps that double.
    age: int
    #: Has a paid subscription.
    pays: bool

    def inputs(self) -> dict[str, float]:
        """The same as a model reads them: each from 0 to 1."""
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


def features_at(mark: Mark, day: int, pays: bool) -> Features | None:
    """A person at the end of a day; None when they were not active in the WINDOW_DAYS up to it."""
    days = _days_to(mark, day) & _WINDOW
    if not days:
        return None
    return Features(
        recency=(days & -days).bit_length() - 1,
        week=(days & _WEEK).bit_count(),
        week_before=(days >> 7 & _WEEK).bit_count(),
        earlier=(days >> 14 & _FORTNIGHT).bit_count(),
        age=min(max(day - mark[2], 0).bit_length(), _AGES),
        pays=pays,
    )


def stayed_away(mark: Mark, day: int, horizon_days: int) -> bool:
    """Whether the person was active on none of the `horizon_days` after a day."""
    return not _days_to(mark, day + horizon_days) & ((1 << horizon_days) - 1)


def _days_to(mark: Mark, day: int) -> int:
    """The mask with the day as bit 0, without the days after it."""
    ahead = mark[0] - day
    return mark[1] >> ahead if ahead >= 0 else mark[1] << -ahead
