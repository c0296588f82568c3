"""Full histories, sessions and tickets of one person: what is beyond is named, and all else counts."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from stream.counters.measures import Grain
from stream.engine import accept, person_events, session_events
from stream.history import recount
from stream.settings.application import Settings
from tests.properties.engine import Action, Worker, run
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


def _totals(worker: Worker) -> dict[str, int]:
    """Return the totals of the site by measure."""
    found: dict[str, int] = {}
    for (grain, _), counts in worker.parts():
        if grain is Grain.ALL:
            found |= {measure: n for (measure, segment), n in counts.items() if not segment[1]}
    return found


def _counted(events: list[dict[str, Any]], schedule: Sequence[Action] = ()) -> dict[str, int]:
    sent = [
        Sent({"event_id": f"e{n}", "event_time": START_MS + n * 1000, "user_id": "kiosk"} | event,
             "kiosk", "clicks", 0)
        for n, event in enumerate(events)
    ]  # fmt: skip
    [worker] = run(logs_of(sent, 1), Settings(), schedule)
    return _totals(worker)


CRASHES = [(what, 1, 3) for _ in range(8) for what in ("read", "checkpoint", "crash")]


def test_events_of_too_many_sessions_count_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_events, "SESSIONS_MAX", 4)
    views = [
        {"type": "page_view", "page_url": f"/{n}", "session_id": f"s{n % 10}"} for n in range(30)
    ]
    counted = _counted(views)
    assert (counted["events"], counted["page_views"]) == (30, 30)
    assert counted["sessions"] == 4
    assert counted["crowded_events"] == 18, "events of the known sessions go on to count for them"
    assert _counted(views, CRASHES) == counted


def test_entries_of_a_full_ticket_do_not_count_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recount, "GROUP_MAX", 4)
    messages = [
        {"type": "ticket_message", "ticket_id": ticket, "direction": direction}
        for ticket in ("long", "short")
        for direction in (("incoming", "outgoing") * (4 if ticket == "long" else 1))
    ]
    counted = _counted(messages)
    assert counted["events"] == 10
    assert counted["crowded_events"] == 4
    assert _counted(messages, CRASHES) == counted
