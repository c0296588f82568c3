"""A changed definition is planned, and a backfill gives it its history while the live numbers go on."""

import json
import threading
import time
from pathlib import Path

import redis

from stream import measures
from stream.keys import ShardKeys, generation
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.stored import read_counts, unaccounted
from tests.faults.worker_process import wait_until
from tests.servers.kafka_server import KafkaServer

PEOPLE = 600
SETTINGS = {
    "TIME_ALLOWED_LATENESS_SECONDS": "2",
    "SESSION_TIMEOUT_SECONDS": "3",
    "PUBLISH_CUT_SECONDS": "0.5",
    "PUBLISH_SNAPSHOT_SECONDS": "0.5",
}
_HOUR_MS = 3_600_000


def visit(number: int, start_ms: int) -> list[Record]:
    """One page, and for every third person a click: a bounce by pages, and none by what was done."""
    events = [{"type": "page_view", "page_url": "/"}]
    if number % 3 == 0:
        events.append({"type": "click", "content_id": "c"})
    return [
        Record("page_views", number % PARTITIONS, b"k", json.dumps(
            {"event_id": f"e{number}-{i}", "event_time": start_ms + i, "visitor_id": f"v{number}"}
            | event
        ).encode())
        for i, event in enumerate(events)
    ]  # fmt: skip


def changed(fleet: Fleet) -> dict[str, str]:
    rows = json.loads(fleet.command("plan", "--format", "json"))
    return {row["metric"]: row["change"] for row in rows if row["change"] != "same"}


def test_a_changed_definition_gets_its_history_beside_live_traffic(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    past_ms = time.time_ns() // 1_000_000 - 3 * _HOUR_MS
    live, stop = [PEOPLE], threading.Event()

    def keep_sending() -> None:
        while not stop.is_set():
            fleet.produce(visit(live[0], time.time_ns() // 1_000_000))
            live[0] += 1
            time.sleep(0.01)

    with Fleet(kafka.bootstrap, redis_url, tmp_path, settings=SETTINGS) as fleet:
        fleet.create_topics().start()
        fleet.produce(r for n in range(PEOPLE) for r in visit(n, past_ms + n * 10_000))
        fleet.wait_counted()
        before = read_counts(fleet.settings)
        assert before.total(measures.BOUNCED_SESSIONS) == PEOPLE - PEOPLE // 3
        assert changed(fleet) == {}
        # The new definition: restart the workers with it, one after the other.
        fleet.reconfigure(BOUNCE_MODE="single_pageview")
        assert changed(fleet)["bounce_rate"] == "counting"
        for worker in fleet.workers:
            assert worker.stop(timeout=30) == 0
            worker.start()
        fleet.wait_assigned()
        sender = threading.Thread(target=keep_sending, daemon=True)
        sender.start()
        said = fleet.command("backfill")
        during = live[0]
        wait_until("the live numbers go on", lambda: live[0] > during + 100)
        stop.set()
        sender.join()
        fleet.wait_counted()
        after = read_counts(fleet.settings)
        assert during > PEOPLE, said
        assert after.total(measures.PAGE_VIEWS) == live[0]
        assert after.total(measures.SESSIONS) == live[0]
        # By the new definition everybody has bounced, those of the past as well.
        assert after.total(measures.BOUNCED_SESSIONS) == live[0]
        assert unaccounted(fleet) == {}
        assert_swapped(fleet, redis_url)


def assert_swapped(fleet: Fleet, redis_url: str) -> None:
    """The state is a new generation, and nothing of the old one is left."""
    client = redis.Redis.from_url(redis_url)
    app = fleet.settings.app
    now = client.get(generation(app))
    assert isinstance(now, bytes) and now
    old = [ShardKeys(app, partition).meta for partition in range(PARTITIONS)]
    assert client.exists(*old) == 0
    new = [ShardKeys(f"{app}.{now.decode()}", p).meta for p in range(PARTITIONS)]
    assert client.exists(*new) == PARTITIONS
