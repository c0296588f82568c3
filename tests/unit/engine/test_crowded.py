"""A full history: further events of its kind are refused and named, and others count."""

import json
from typing import Any

import pytest

from stream.engine import accept, person_events
from stream.settings.application import Settings
from tests.properties.engine import Worker, run
from tests.properties.inputs.traffic import Sent, logs_of

DAY_MS = 86_400_000
START_MS = 1_711_300_000_000


def worker_of(monkeypatch: pytest.MonkeyPatch, days_apart: int) -> Worker:
    """Return a worker that has read 15 uses of features and a page view of one person, with room for 10 uses."""
    for module in (accept, person_events):
        monkeypatch.setattr(module, "HISTORY_MAX", 10)

    def sent(n: int, **fields: Any) -> Sent:
        event = {"event_id": f"e{n}", "event_time": START_MS + n * days_apart * DAY_MS}
        return Sent(event | {"user_id": "kiosk", **fields}, "kiosk", "clicks", 0)

    uses = [sent(n, type="feature_used", feature=f"f{n}") for n in range(15)]
    logs = logs_of([*uses, sent(15, type="page_view")], 1)
    [worker] = run(logs, Settings(), [("read", 1, 1)] * 20, watch=_read_to_the_end)
    return worker


def _read_to_the_end(worker: Worker) -> None:
    """Note that the topics without events are read to their end."""
    for topic in worker.shard.topics:
        if topic != "clicks":
            worker.shard.drained(topic, START_MS)


def reasons(worker: Worker) -> list[str]:
    return [json.loads(letter)["reason"] for letter in worker.store.dead_letters]


def test_a_full_history_refuses_further_events_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = worker_of(monkeypatch, 0)
    assert reasons(worker) == ["crowded"] * 5
    assert worker.outcomes()["applied"] == 11, "the page view counts"
    assert worker.outcomes()["rejected"] == 5


def test_what_no_longer_matters_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = worker_of(monkeypatch, 20)
    assert reasons(worker) == []
    assert worker.outcomes()["applied"] == 16
