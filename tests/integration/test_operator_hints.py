"""Hints before a mistake costs time: a port in use, old files replayed into a live topic."""

import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.commands.replay import run_replay
from tests.faults.fleet import Fleet
from tests.servers.kafka_server import KafkaServer

DAY_MS = 86_400_000


@pytest.fixture
def fleet(kafka: KafkaServer, redis_url: str, tmp_path: Path) -> Iterator[Fleet]:
    """One worker at work, and another one that has not started."""
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=2) as made:
        made.create_topics()
        made.workers[0].start()
        yield made


def views(file: Path, begin_ms: int) -> str:
    """Write a page view of each of 40 people."""
    lines = [
        json.dumps({
            "type": "page_view", "event_id": f"{begin_ms}-{number}", "page_url": "/",
            "event_time": begin_ms + number, "visitor_id": f"v{number}",
        })
        for number in range(40)
    ]  # fmt: skip
    file.write_text("\n".join(lines))
    return str(file)


def test_old_files_are_warned_of_and_counted_as_late(fleet: Fleet, tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    errors = io.StringIO()
    assert (
        run_replay(fleet.settings, [views(tmp_path / "new", now_ms - DAY_MS // 2)], errors=errors)
        == 0
    )
    assert "late" not in errors.getvalue()
    assert (
        run_replay(fleet.settings, [views(tmp_path / "old", now_ms - 9 * DAY_MS)], errors=errors)
        == 0
    )
    said = errors.getvalue()
    assert said.index("warning: an event of") < said.rindex("40 records confirmed")
    assert "`engage report`" in said
    assert "40 of them are late" in said
    fleet.note_sent()
    fleet.wait_counted()
    outcomes = Counter[str]()
    for shard in fleet.stored().values():
        outcomes.update(shard.topics[fleet.settings.topics.page_views].counts)
    assert (outcomes["applied"], outcomes["late"]) == (40, 40), "the workers agree"


def test_a_port_in_use_is_named_with_its_user(fleet: Fleet) -> None:
    first, second = fleet.workers
    second.environ["ENGAGE_WEB_PORT"] = str(first.port)
    fleet.wait_assigned()
    second.start()
    assert second.wait(60) == 1
    said = second.log_tail()
    assert f"port {first.port} of 127.0.0.1 (web.port) is in use by another worker" in said
    assert "ENGAGE_WEB_PORT" in said
    assert "Traceback" not in said
