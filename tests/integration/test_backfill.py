"""A changed definition is planned, and a backfill gives it its history while the live numbers continue."""

import json
import threading
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import redis

from stream.counters import measures
from stream.store.keys import ShardKeys, generation
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.stored import read_counts, unaccounted
from tests.faults.topics import newest_records
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
#: Two user-defined numbers: a ratio of an own measure, and a funnel.
OWN = """
[measures.looks]
type = "page_view"
where = { page_url = "/" }

[metrics.clicks_per_look]
numerator = "clicks"
denominator = "looks"
windows = ["hour", "day"]

[funnels.look_then_click]
steps = [{ type = "page_view" }, { type = "click" }]
"""


def session_records(number: int, start_ms: int) -> list[Record]:
    """Return a page view, and for every third person a click that prevents an interaction-based bounce."""
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
            fleet.produce(session_records(live[0], time.time_ns() // 1_000_000))
            live[0] += 1
            time.sleep(0.01)

    with Fleet(kafka.bootstrap, redis_url, tmp_path, settings=SETTINGS) as fleet:
        fleet.create_topics().start()
        fleet.produce(r for n in range(PEOPLE) for r in session_records(n, past_ms + n * 10_000))
        fleet.wait_counted()
        before = read_counts(fleet.settings)
        assert before.total(measures.BOUNCED_SESSIONS) == PEOPLE - PEOPLE // 3
        assert changed(fleet) == {}
        # Restart the workers with the new definition, one after the other.
        definitions = tmp_path / "engage.toml"
        definitions.write_text(OWN)
        fleet.reconfigure(BOUNCE_MODE="single_pageview", CONFIG=str(definitions))
        assert changed(fleet)["bounce_rate"] == "counting"
        assert changed(fleet)["clicks_per_look"] == "new"
        for worker in fleet.workers:
            assert worker.stop(timeout=30) == 0
            worker.start()
        fleet.wait_assigned()
        sender = threading.Thread(target=keep_sending, daemon=True)
        sender.start()
        output = fleet.command("backfill")
        during = live[0]
        wait_until("the live numbers continue", lambda: live[0] > during + 100)
        stop.set()
        sender.join()
        fleet.wait_counted()
        after = read_counts(fleet.settings)
        assert during > PEOPLE, output
        assert after.total(measures.PAGE_VIEWS) == live[0]
        assert after.total(measures.SESSIONS) == live[0]
        # By the new definition every session has bounced, past ones as well.
        assert after.total(measures.BOUNCED_SESSIONS) == live[0]
        assert unaccounted(fleet) == {}
        assert_swapped(fleet, redis_url)
        assert_own_numbers(fleet, [past_ms + n * 10_000 for n in range(PEOPLE)], live[0])


def assert_swapped(fleet: Fleet, redis_url: str) -> None:
    """Assert that the state is a new generation and the old one is deleted."""
    client = redis.Redis.from_url(redis_url)
    app = fleet.settings.app
    now = client.get(generation(app))
    assert isinstance(now, bytes) and now
    old = [ShardKeys(app, partition).meta for partition in range(PARTITIONS)]
    assert client.exists(*old) == 0
    new = [ShardKeys(f"{app}.{now.decode()}", p).meta for p in range(PARTITIONS)]
    assert client.exists(*new) == PARTITIONS


def assert_own_numbers(fleet: Fleet, past: list[int], people: int) -> None:
    """Assert that the own ratio and funnel are in the topic with their history, in the gauges, and described."""
    # Every past person viewed once, and every third one clicked; live traffic falls into later
    # hours.
    looked = Counter(at // _HOUR_MS for at in past)
    clicked = Counter(at // _HOUR_MS for at in past[::3])
    wanted = {h: (clicked[h], looked[h], clicked[h] / looked[h]) for h in looked}
    assert len(wanted) >= 2

    def ratios() -> dict[int, tuple[float, float | None, float | None]]:
        return {
            instant_ms(r.window.start) // _HOUR_MS: (r.numerator, r.denominator, r.value)
            for r in newest_records(fleet.settings).values()
            if r.metric == "clicks_per_look" and r.window.kind == "hour" and not r.dimensions
        }

    wait_until("the own ratio has its history", lambda: wanted.items() <= ratios().items())
    steps = {"funnel": "look_then_click", "step": "2"}
    whole = [
        (r.numerator, r.denominator)
        for r in newest_records(fleet.settings).values()
        if r.metric == "funnel_conversion" and r.window.kind == "all" and r.dimensions == steps
    ]
    assert whole == [((people + 2) // 3, people)]
    shown = fleet.workers[0].value("engagement_clicks_per_look_ratio", site="default", window="day")
    assert 0.3 < shown < 0.4
    segment = {"dimension": "funnel,step", "value": "look_then_click,2"}
    assert fleet.workers[0].value("engagement_segment_funnel_conversion_ratio", **segment) > 0.3
    listed = {
        metric["name"]: metric
        for metric in json.loads(fleet.command("metrics", "--format", "json"))
    }
    assert listed["clicks_per_look"]["formula"] == "clicks ÷ looks"


def instant_ms(time_text: str | None) -> int:
    assert time_text is not None
    return round(datetime.fromisoformat(time_text).timestamp() * 1000)
