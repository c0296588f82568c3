"""A report with partitions and a worker on Kafka give the same numbers where people log in, and both warn."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from aiokafka.partitioner import murmur2

from schemas.outputs import MetricRecord
from tests.faults.fleet import PARTITIONS, Fleet
from tests.faults.worker_process import wait_until
from tests.integration.test_report_equals_stream import case, reported, wait_equal
from tests.servers.kafka_server import KafkaServer

START_MS = 1_514_808_000_000
LOGINS = 30
KEPT = {"TIME_HOUR_RETENTION_DAYS": "700", "TIME_DAY_RETENTION_DAYS": "700"}


def logins() -> list[bytes]:
    """Return sessions with a log-in, each with a cart that is filled before and ordered after it."""
    lines = []
    for who in range(LOGINS):
        visitor = {"site": "shop", "visitor_id": f"v{who}", "session_id": f"s{who}"}
        user, cart = visitor | {"user_id": f"u{who}"}, {"cart_id": f"c{who}", "revenue": 5}
        for number, event in enumerate((
            {"type": "page_view", "page_url": "/"} | visitor,
            {"type": "add_to_cart"} | cart | visitor,
            {"type": "page_view", "page_url": "/welcome"} | user,
            {"type": "order", "order_id": f"o{who}"} | cart | user,
        )):  # fmt: skip
            at_ms = START_MS + who * 60_000 + number * 1_000
            lines.append(json.dumps(event | {"event_id": f"e{who}-{number}", "event_time": at_ms}))
    return [line.encode() for line in lines]


def together(visitor: str, user: str) -> bool:
    """Whether the records of both ids are in one partition."""
    one, other = ((murmur2(who.encode()) & 0x7FFFFFFF) % PARTITIONS for who in (visitor, user))
    return one == other


def test_a_report_with_partitions_equals_a_worker_and_both_count_log_ins(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    lines = (case("snowplow-dbtlabs") / "events.jsonl").read_bytes().splitlines() + logins()
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(lines))
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=1, settings=KEPT) as fleet:
        fleet.create_topics().start()
        fleet.command("replay", str(file))
        fleet.note_sent()
        fleet.wait_counted()
        whole, sharded = (reported(fleet.settings, lines, n) for n in (1, PARTITIONS))
        newest = wait_equal(fleet, sharded)
        # Without partitions it would not: a log-in splits sessions.
        assert shown(whole, "default") == {"sessions": 5, "bounce_rate": 0.6}
        assert shown(sharded, "default") == {"sessions": 7, "bounce_rate": 1.0}
        assert shown(newest.held.values(), "default") == shown(sharded, "default")

        seen = sum(together(f"v{who}", f"u{who}") for who in range(LOGINS))
        assert 0 < seen < LOGINS
        seen_of_case = sum(together(f"domain_userid_{n}", f"user_id_{n}") for n in (1, 2))
        [worker] = fleet.workers
        names = [f"engagement_worker_{kind}_across_ids_total" for kind in ("sessions", "carts")]
        wait_until(
            "the worker has counted what it sees",
            lambda: [worker.value(name) for name in names] == [seen + seen_of_case, seen],
        )
        assert worker.log.read_text().count("carry different person ids") == 1
        done = subprocess.run(
            [sys.executable, "-m", "agents", "report", str(file)], cwd=tmp_path, env=fleet.environ,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert f"{LOGINS + 2} sessions and {LOGINS} carts carry different" in done.stderr


def shown(records: Iterable[MetricRecord], site: str) -> dict[str, float | None]:
    """Return two numbers of a site on the day of the events."""
    return {
        record.metric: record.value
        for record in records
        if record.metric in ("sessions", "bounce_rate")
        and record.window.kind == "day"
        and str(record.window.start).startswith("2018-01-01")
        and (record.site, record.dimensions) == (site, {})
    }
