"""Attempts at a funnel: how far each way through a person's moments leads within the window."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple


class Moment(NamedTuple):
    """An event of a person; bit k of `steps` says that it can be step k + 1. 0: it is none of them.

    The bit after that of the last step says that it ends an attempt.
    """

    time_ms: int
    steps: int
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Attempts:
    """What an attempt is: how many steps, in which order, how long after the first."""

    steps: int
    window_ms: int
    order: Literal["ordered", "strict", "unordered"]
    #: All steps in one session; without an id moments further apart than this are of two sessions.
    session_gap_ms: int | None = None

    def depths(self, moments: Iterable[Moment]) -> Iterator[tuple[int, int]]:
        """(time of its first step, how many steps) of every attempt.

        Moments of one instant are taken in the order of the steps, whatever order they came in.
        """
        for run in self._runs(sorted(moments, key=lambda moment: moment[:2])):
            for start, moment in enumerate(run):
                if moment.steps & (self._ends - 1 if self.order == "unordered" else 1):
                    yield moment.time_ms, self._depth(run, start)

    @property
    def _ends(self) -> int:
        return 1 << self.steps

    def _runs(self, moments: list[Moment]) -> Iterator[Sequence[Moment]]:
        if self.session_gap_ms is None:
            yield moments
            return
        ordered = sorted(moments, key=lambda moment: moment.session or "")
        for session, theirs in groupby(ordered, key=lambda moment: moment.session):
            run: list[Moment] = []
            for moment in theirs:
                if run and not session and moment.time_ms - run[-1].time_ms > self.session_gap_ms:
                    yield run
                    run = []
                run.append(moment)
            yield run

    def _depth(self, run: Sequence[Moment], start: int) -> int:
        end_ms = run[start].time_ms + self.window_ms
        if self.order == "unordered":
            taken: dict[int, Moment] = {}
            for place in range(start, len(run)):
                if run[place].time_ms > end_ms or len(taken) == self.steps:
                    break
                if place > start and run[place].steps & self._ends:
                    break
                _assign(run[place], taken, self.steps, set())
            return len(taken)
        depth = 1
        for place in range(start + 1, len(run)):
            moment = run[place]
            if moment.time_ms > end_ms or depth == self.steps or moment.steps & self._ends:
                break
            if moment.steps >> depth & 1:
                depth += 1
            elif self.order == "strict":
                break
        return depth


def _assign(moment: Moment, taken: dict[int, Moment], steps: int, tried: set[int]) -> bool:
    """Let a moment stand for a step, if need be by moving another one to a step that it fits too."""
    for step in range(steps):
        if moment.steps >> step & 1 and step not in tried:
            tried.add(step)
            if step not in taken or _assign(taken[step], taken, steps, tried):
                taken[step] = moment
                return True
    return False
