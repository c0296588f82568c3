"""Orders that are read after a later view of their person: topics are read at different paces."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from stream.sessions.splitting import Fragments
from tests.properties.engine import Action
from tests.properties.scenario import session_differences

SCHEDULE: list[Action] = [("read", 0, 30), ("close", 0, 0), ("checkpoint", 0, 0)]


def orders(seed: int, number: int, view_minute: int) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield a lone view, then orders before it with gaps of up to 45 minutes, some of them late."""
    rng = random.Random(seed)
    minute = 0
    yield view_minute, view_minute, {}
    for n in range(number):
        minute += rng.choice((1, 1, 2, 5, 29, 30, 31, 45))
        late = rng.choice((0, 0, 0, 0, 40)) if seed % 2 else 0
        at = max(minute - late, 0)
        yield at, view_minute, {"type": "order", "order_id": f"o{n}", "revenue": 1}


@pytest.mark.parametrize("seed", range(12))
def test_they_count_for_the_sessions_of_the_oracle(seed: int) -> None:
    # Some orders reach the session of the view, and some come after it.
    scenario = [*orders(seed, 60, view_minute=(600, 1_100, 1_400)[seed % 3])]
    assert session_differences(scenario, SCHEDULE, people_cached=2) == []


def test_an_order_costs_no_look_at_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    groups = Fragments.groups

    def counted(self: Fragments, sessions: Any) -> Any:
        nonlocal looks
        sessions = [*sessions]
        looks += len(sessions)
        return groups(self, sessions)

    monkeypatch.setattr(Fragments, "groups", counted)
    number = 400
    scenario = [
        (1_400, 1_400, {}),
        *((n, 1_400, {"type": "order", "order_id": f"o{n}", "revenue": 1}) for n in range(number)),
    ]
    session_differences(scenario, [("read", 0, number + 1)], people_cached=2)
    # The first orders look at all, until there are many; so does the end, when they close.
    assert looks < 10 * number
