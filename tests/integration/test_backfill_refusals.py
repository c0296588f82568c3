"""A backfill never swaps in counts by other settings than the workers', and leaves nothing when stopped."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import redis

from stream.configure.fingerprints import fingerprints
from stream.settings.application import Settings
from stream.store.connection import connect_redis
from stream.store.keys import generation
from stream.store.published import PublishedState
from stream.store.shards import Store
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.worker_process import wait_until
from tests.integration.stored_shop import dump, look_abandoned
from tests.servers.kafka_server import KafkaServer


def views(count: int) -> list[Record]:
    """Return page views of `count` visitors."""
    now_ms = time.time_ns() // 1_000_000
    return [
        Record("page_views", number % PARTITIONS, b"k", json.dumps({
            "type": "page_view", "event_id": f"e{number}", "event_time": now_ms,
            "visitor_id": f"v{number}", "page_url": "/",
        }).encode())
        for number in range(count)
    ]  # fmt: skip


class Backfill:
    """A backfill in a process of its own."""

    def __init__(self, fleet: Fleet, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agents", "backfill", *options],
            cwd=fleet.directory, env=dict(fleet.environ), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit code and the output."""
        os.kill(self._process.pid, number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and the output."""
        output, _ = self._process.communicate(timeout=120)
        return self._process.returncode, output


def generations(url: str, app: str) -> set[str]:
    """Return the generations that have keys."""
    names = (key.split("engage:", 1)[1].split(":")[0] for key in dump(url, f"*{app}.g*"))
    return {name.removeprefix(f"{app}.") for name in names}


async def note_definitions(settings: Settings) -> None:
    """Store the definitions that workers with these settings count by."""
    client = connect_redis(settings)
    store = Store(client, settings.app, "a worker", PARTITIONS)
    state = PublishedState(client, store, settings.app, PARTITIONS)
    await state.note_definitions(fingerprints(settings), 0)
    await client.aclose()


def test_other_settings_than_the_workers_are_refused_by_name(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=0) as fleet:
        fleet.create_topics()
        fleet.produce(views(20_000))
        fleet.flush()
        asyncio.run(note_definitions(fleet.settings))
        client, app = redis.Redis.from_url(redis_url), fleet.settings.app
        fleet.reconfigure(BOUNCE_MODE="single_pageview")
        code, output = Backfill(fleet).ended()
        assert code == 1
        assert "other settings" in output and "bounce_rate (counting)" in output
        assert generations(redis_url, app) == set() and client.get(generation(app)) is None
        backfill = Backfill(fleet, "--other-settings")
        wait_until("it has begun", lambda: generations(redis_url, app))
        _, output = backfill.stop(signal.SIGTERM)
        assert "bounce_rate (counting)" in output and "accepted" in output


def test_a_stopped_backfill_leaves_nothing_and_a_killed_one_is_named_and_removed(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=0) as fleet:
        fleet.create_topics()
        fleet.produce(views(60_000))
        fleet.flush()
        client, app = redis.Redis.from_url(redis_url), fleet.settings.app

        backfill = Backfill(fleet)
        wait_until("it has begun", lambda: generations(redis_url, app))
        code, output = backfill.stop(signal.SIGTERM)
        assert code == 128 + signal.SIGTERM
        assert "deleted" in output and "go on in" not in output
        assert generations(redis_url, app) == set()

        backfill = Backfill(fleet)
        wait_until("it has begun", lambda: generations(redis_url, app))
        assert backfill.stop(signal.SIGKILL)[0] == -signal.SIGKILL
        [left] = generations(redis_url, app)
        rows = json.loads(fleet.command("state", "list", "--format", "json"))
        assert [(row["generation"], row["standing"]) for row in rows] == [(left, "unfinished")]
        assert rows[0]["owners"][0].startswith("backfill:")

        look_abandoned(redis_url)
        backfill = Backfill(fleet)
        wait_until("it has begun", lambda: generations(redis_url, app) - {left})
        code, output = backfill.stop(signal.SIGTERM)
        assert f"engage state remove --generation {left}" in output
        fleet.command("state", "remove", "--yes", "--generation", left)
        assert generations(redis_url, app) == set()
        assert client.get(generation(app)) is None
