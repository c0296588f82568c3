"""Runs of days: the days with events of a site, and the days between that are published as empty."""

from collections.abc import Iterable, Iterator

#: Longest gap that is filled, in empty days. A longer one is a jump in time, such as one old event.
GAP_DAYS = 366


class DayRuns:
    """Runs [first, last] of days, in order. Two runs are more than GAP_DAYS empty days apart."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int]] = []

    @property
    def last(self) -> int:
        """The newest day."""
        return self._runs[-1][1]

    def add(self, days: Iterable[int]) -> list[int]:
        """Add days with events; return those that newly lie in a run."""
        found: list[int] = []
        for day in sorted(days):
            found += self._add(day)
        return found

    def touches(self, first: int, last: int) -> bool:
        """Whether one of the days first … last lies in a run."""
        return any(first <= end and start <= last for start, end in self._runs)

    def days_from(self, day: int) -> Iterator[int]:
        """Yield the days of the runs from a day on."""
        for first, last in self._runs:
            yield from range(max(first, day), last + 1)

    def _add(self, day: int) -> list[int]:
        """Add a day to the runs within its reach, and return the days that it fills."""
        runs = self._runs
        near = [run for run in runs if run[0] - GAP_DAYS - 1 <= day <= run[1] + GAP_DAYS + 1]
        if any(first <= day <= last for first, last in near):
            return []
        low = min([day, *(first for first, _ in near)])
        high = max([day, *(last for _, last in near)])
        self._runs = sorted([*(run for run in runs if run not in near), (low, high)])
        inside = [range(first, last + 1) for first, last in near]
        return [new for new in range(low, high + 1) if not any(new in run for run in inside)]
