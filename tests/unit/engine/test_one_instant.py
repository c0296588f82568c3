"""Events without a session id that share a millisecond need no look at their person's other sessions."""

import pytest

from stream.sessions.splitting import Fragments
from stream.settings.application import Settings
from tests.properties.checking import wrong_numbers
from tests.properties.engine import run
from tests.properties.inputs.traffic import Sent, logs_of

START_MS = 1_711_300_000_000


def test_goals_of_one_instant_join_its_fragment_without_a_look_at_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0
    groups = Fragments.groups

    def counted(self: Fragments, *given: object) -> object:
        nonlocal looks
        looks += 1
        return groups(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Fragments, "groups", counted)
    goal = {"type": "goal", "name": "g", "user_id": "kiosk"}
    logs = logs_of(
        [
            Sent(
                goal | {"event_id": f"e{n}", "event_time": START_MS + n // 2}, "kiosk", "clicks", 0
            )
            for n in range(400)
        ],
        1,
    )
    workers = run(logs, Settings(), [("read", 1, 400)])
    assert looks < 150, "each second event of an instant looked at all others"
    monkeypatch.undo()
    assert wrong_numbers(workers, logs, Settings(), ("day", "all")) == []
