"""Half of the records are invalid: the others are counted exactly, and each invalid one is a dead letter."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from schemas.dead_letter import MAX_ORIGINAL
from stream.counters import measures
from tests.faults.fleet import PARTITIONS, REPOSITORY, Fleet, Record
from tests.faults.stored import read_counts, unaccounted
from tests.faults.topics import dead_letters
from tests.faults.worker_process import wait_until
from tests.servers.kafka_server import KafkaServer

INVALID = sorted((REPOSITORY / "schemas" / "examples" / "invalid").iterdir())
ROLES = ("page_views", "clicks", "orders")
VISITORS = 40
DAY_MS = 86_400_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def good(number: int, time_ms: int) -> Record:
    visitor = number % VISITORS
    event = {
        "type": "page_view", "page_url": "/", "event_id": f"good-{number}",
        "event_time": time_ms, "visitor_id": f"v{visitor}",
    }  # fmt: skip
    return Record("page_views", visitor % PARTITIONS, b"key", json.dumps(event).encode())


def mixed(start_ms: int) -> Iterator[tuple[Record, str]]:
    """Yield every invalid example for three topics, each followed by a good event, with its reason."""
    places = cycle((role, partition) for role in ROLES for partition in range(PARTITIONS))
    bad = [file for file in INVALID for _ in ROLES]
    for number, file in enumerate(bad):
        role, partition = next(places)
        raw = file.read_bytes()
        yield Record(role, partition, b"key", raw), file.name.partition("__")[0]
        yield good(number, start_ms + number * 1000), ""


def test_bad_records_become_dead_letters_and_good_ones_are_counted(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    start_ms = now_ms() - 2 * DAY_MS
    records = list(mixed(start_ms))
    with Fleet(kafka.bootstrap, redis_url, tmp_path) as fleet:
        fleet.create_topics().start()
        offsets: Counter[tuple[str, int]] = Counter()
        expected: dict[tuple[str, int, int], tuple[str, bytes | None]] = {}
        for record, reason in records:
            tp = (fleet.topic(record.role), record.partition)
            if reason:
                expected[*tp, offsets[tp]] = reason, record.value
            offsets[tp] += 1
        fleet.produce(record for record, _ in records)
        fleet.wait_counted()
        wait_until(
            "all dead letters are sent", lambda: len(dead_letters(fleet.settings)) >= len(expected)
        )
        entries = dead_letters(fleet.settings)
        assert {place: str(entry.reason) for place, entry in entries.items()} == {
            place: reason for place, (reason, _) in expected.items()
        }
        for place, (_, original) in expected.items():
            entry = entries[place]
            assert entry.original == (original or b"")[:MAX_ORIGINAL]
            assert (entry.original_size, entry.key) == (len(original or b""), b"key")
        check_good(fleet, len(records) // 2)
        check_calm(fleet)


def check_good(fleet: Fleet, count: int) -> None:
    counts = read_counts(fleet.settings)
    assert counts.total(measures.EVENTS) == counts.total(measures.PAGE_VIEWS) == count
    assert counts.total(measures.SESSIONS) == counts.total(measures.NEW_ALL) == VISITORS
    assert unaccounted(fleet) == {}


def check_calm(fleet: Fleet) -> None:
    """Assert that no worker has crashed or restarted."""
    for worker in fleet.workers:
        assert worker.running
        text = worker.log.read_text()
        assert "Restarting" not in text
        assert "Crashed" not in text
        assert "Traceback" not in text


def test_an_event_dated_next_year_only_adds_a_dead_letter(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Fleet(kafka.bootstrap, redis_url, tmp_path) as fleet:
        fleet.create_topics().start()
        fleet.produce(good(number, now_ms() - DAY_MS + number * 1000) for number in range(100))
        fleet.wait_counted()
        before, shards = read_counts(fleet.settings), fleet.stored()
        next_year = now_ms() + 365 * DAY_MS
        wrong = good(1_000, next_year)
        fleet.produce([wrong])
        fleet.wait_counted()
        wait_until("the dead letter is sent", lambda: bool(dead_letters(fleet.settings)))
        ((place, entry),) = dead_letters(fleet.settings).items()
        assert place == (fleet.topic("page_views"), wrong.partition, 25)
        assert (entry.reason, entry.event_time_ms) == ("future", next_year)
        assert entry.original == wrong.value
        after = fleet.stored()
        for partition, shard in shards.items():
            for name, topic in shard.topics.items():
                assert after[partition].topics[name].clock == topic.clock
            assert (after[partition].watermark or 0) < now_ms()
        for measure in (measures.EVENTS, measures.PAGE_VIEWS, measures.SESSIONS, measures.NEW_ALL):
            assert read_counts(fleet.settings).total(measure) == before.total(measure) > 0
        check_calm(fleet)
