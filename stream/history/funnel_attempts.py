"""Attempts at a funnel: how many steps a person completes within the window, from each first step."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple


class Moment(NamedTuple):
    """An event of a person. Bit k of `steps` is set if the event can be step k + 1.

    The bit after the last step is set if the event ends an attempt.
    """

    time_ms: int
    steps: int
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Attempts:
    """The rules of a funnel: number of steps, their order, and the window after the first step."""

    steps: int
    window_ms: int
    order: Literal["ordered", "strict", "unordered"]
    #: Requires all steps in one session; without ids, a longer gap begins another. None: no session needed.
    session_gap_ms: int | None = None

    def depths(self, moments: Iterable[Moment]) -> Iterator[tuple[int, int]]:
        """Yield (time of the first step in epoch ms, completed steps) of every attempt.

        Moments of one instant are taken in the order of the steps.
        """
        for sequence in self._sequences(sorted(moments, key=lambda moment: moment[:2])):
            for start, moment in enumerate(sequence):
                if moment.steps & (self._ends - 1 if self.order == "unordered" else 1):
                    yield moment.time_ms, self._depth(sequence, start)

    @property
    def _ends(self) -> int:
        return 1 << self.steps

    def _sequences(self, moments: list[Moment]) -> Iterator[Sequence[Moment]]:
        if self.session_gap_ms is None:
            yield moments
            return
        ordered = sorted(moments, key=lambda moment: moment.session or "")
        for session, in_session in groupby(ordered, key=lambda moment: moment.session):
            sequence: list[Moment] = []
            for moment in in_session:
                if (
                    sequence
                    and not session
                    and moment.time_ms - sequence[-1].time_ms > self.session_gap_ms
                ):
                    yield sequence
                    sequence = []
                sequence.append(moment)
            yield sequence

    def _depth(self, sequence: Sequence[Moment], start: int) -> int:
        end_ms = sequence[start].time_ms + self.window_ms
        if self.order == "unordered":
            taken: dict[int, Moment] = {}
            for place in range(start, len(sequence)):
                if sequence[place].time_ms > end_ms or len(taken) == self.steps:
                    break
                if place > start and sequence[place].steps & self._ends:
                    break
                _assign(sequence[place], taken, self.steps, set())
            return len(taken)
        depth = 1
        for place in range(start + 1, len(sequence)):
            moment = sequence[place]
            if moment.time_ms > end_ms or depth == self.steps or moment.steps & self._ends:
                break
            if moment.steps >> depth & 1:
                depth += 1
            elif self.order == "strict":
                break
        return depth


def _assign(moment: Moment, taken: dict[int, Moment], steps: int, tried: set[int]) -> bool:
    """Assign a moment to a step, moving other moments to steps they also fit (augmenting path)."""
    for step in range(steps):
        if moment.steps >> step & 1 and step not in tried:
            tried.add(step)
            if step not in taken or _assign(taken[step], taken, steps, tried):
                taken[step] = moment
                return True
    return False
