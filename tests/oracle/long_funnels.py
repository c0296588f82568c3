"""Attempts at funnels in long histories: one look along the events from each first one."""

from collections.abc import Callable, Sequence
from itertools import permutations

from tests.oracle.goals import EventDict, Fits


def ends(event: EventDict) -> bool:
    """Return whether an event is excluded by the funnels of the property tests."""
    return event.get("feature") == "export" or event.get("name") == "d"


def attempts(
    events: Sequence[EventDict],
    steps: Sequence[Fits],
    order: str,
    window_ms: int,
    by_session: bool,
    excluded: Callable[[EventDict], bool],
) -> list[tuple[int, int]]:
    """Return (time, steps reached) of all attempts of one person, from events in time order."""
    found = []
    for place, first in enumerate(events):
        begins = any(fits(first) for fits in steps) if order == "unordered" else steps[0](first)
        if begins:
            same = [e for e in events[place + 1 :] if e["ms"] <= first["ms"] + window_ms
                    and (not by_session or e["session_id"] == first["session_id"])]  # fmt: skip
            after = []
            for event in same:
                if excluded(event):
                    break
                after.append(event)
            found.append((first["ms"], _depth(first, after, steps, order)))
    return found


def _depth(first: EventDict, after: Sequence[EventDict], steps: Sequence[Fits], order: str) -> int:
    if order == "unordered":
        return _most([first, *after], steps)
    depth = 1
    for event in after:
        if depth == len(steps):
            break
        if steps[depth](event):
            depth += 1
        elif order == "strict":
            break
    return depth


def _most(events: Sequence[EventDict], steps: Sequence[Fits]) -> int:
    """Return how many steps can each have an event of its own: of alike events, as many as steps are enough."""
    alike: dict[tuple[bool, ...], int] = {}
    for event in events:
        fitting = tuple(fits(event) for fits in steps)
        alike[fitting] = min(alike.get(fitting, 0) + 1, len(steps))
    kinds = [kind for kind, number in alike.items() for _ in range(number) if any(kind)]
    best = 0
    for size in range(1, min(len(steps), len(kinds)) + 1):
        ways = permutations(range(len(steps)), size)
        if any(all(kind[step] for step, kind in zip(way, some, strict=True))
               for way in ways for some in set(permutations(kinds, size))):  # fmt: skip
            best = size
    return best
