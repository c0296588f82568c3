"""Tells the events of a wrong clock from the events of a whole input."""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

DAY_MS = 86_400_000
#: A clock is wrong if its events come this long after all others of their site,
_GAP_DAYS = 366
#: and are less than this share of them.
_SHARE = 0.1
#: Details of the events that are refused.
AFTER_NOW = "event_time is after now, by more than time.max_future_skew_seconds"
DETAIL = "event_time is over a year after all other events of its site: a wrong clock"


class WrongClocks:
    """Days with events of each site, and from which time on events are those of a wrong clock."""

    def __init__(self) -> None:
        self._days: dict[str, Counter[int]] = {}
        #: Site → time from which on its clocks are wrong.
        self.from_ms: dict[str, int] = {}

    def note(self, site: str, time_ms: int) -> None:
        """Count an event that may be right."""
        days = self._days.get(site)
        if days is None:
            days = self._days[site] = Counter()
        days[time_ms // DAY_MS] += 1

    @property
    def days(self) -> dict[str, dict[int, int]]:
        """Site → day → events."""
        return {site: dict(days) for site, days in self._days.items()}

    def add(self, days: Mapping[str, Mapping[int, int]]) -> None:
        """Count the events of another part of the input."""
        for site, found in days.items():
            self._days.setdefault(site, Counter()).update(found)

    def find(self) -> bool:
        """Find the wrong clocks, once all events are noted; return whether there is one."""
        for site, days in self._days.items():
            after, least = 0, _SHARE * days.total()
            newest_first = sorted(days, reverse=True)
            for day, before in pairwise(newest_first):
                after += days[day]
                if after >= least:
                    break
                if day - before > _GAP_DAYS:
                    self.from_ms[site] = day * DAY_MS
        return bool(self.from_ms)

    def is_wrong(self, site: str, time_ms: int) -> bool:
        """Whether an event is one of a wrong clock."""
        from_ms = self.from_ms.get(site)
        return from_ms is not None and time_ms >= from_ms
