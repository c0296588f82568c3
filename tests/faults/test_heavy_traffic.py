"""Heavy traffic of valid events: all of it is counted, and what it leaves is bounded.

`python -m tests.bench.heavy` does the same with many more events, and says what they cost.
"""

import json
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis

from stream.people.keys import person_key
from stream.store.keys import ShardKeys
from stream.worker.watch.heaviest import HEAVY_RATIO, person_digest
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.heavy import HEAVY, KIOSK, VALUES_MAX
from tests.faults.worker_process import Samples, WorkerProcess, sampled, wait_until
from tests.servers.kafka_server import KafkaServer

#: Inputs whose events are dear; of all others there are 20,000.
EVENTS = {"one person, orders and carts": 2_000}
ALL = "engagement_events_total"
SERIES_MAX = 50_000
#: Types of which the page has a total.
TOTALS = {"page_view": "page_views", "impression": "impressions", "click": "clicks"}
PATIENCE = 300.0
#: A session of each person, or of each session id of a person. Elsewhere, events with and without an id mix.
PLAIN = {"one person, by session id", "one person, by gaps", "one-time visitors", "one shard"}


def events(records: list[Record]) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in records]


@pytest.mark.parametrize("name", HEAVY)
def test_every_heavy_event_is_counted_and_its_state_is_bounded(
    name: str, kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    traffic = HEAVY[name]
    sent = list(traffic.records(EVENTS.get(name, 20_000)))
    known = events(sent)
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=1, settings=traffic.settings) as fleet:
        fleet.create_topics()
        fleet.produce(sent)
        fleet.start()
        fleet.wait_counted(PATIENCE)
        [worker] = fleet.workers
        wait_until(
            "all are shown", lambda: worker.value(ALL, site="default") == len(sent), PATIENCE
        )
        if name in PLAIN:
            sessions = len({(event["user_id"], event.get("session_id")) for event in known})
            total = "engagement_sessions_total"
            wait_until("each session is shown", lambda: worker.value(total) == sessions, PATIENCE)
        page = worker.page()
        assert page is not None
        assert_counted(page, known)
        if name == "values at their cap":
            assert_folded(page)
        keys = [ShardKeys(fleet.settings.app, partition) for partition in range(PARTITIONS)]
        with redis.Redis.from_url(redis_url) as client:
            people = [client.hlen(key.people) for key in keys]
            assert sum(map(int, people)) == len({event["user_id"] for event in known})  # type: ignore[arg-type]
            assert not any(client.hlen(key.opened) for key in keys)


def assert_counted(page: Samples, known: list[dict[str, Any]]) -> None:
    """Nothing is lost, rejected or taken for something else."""
    types = Counter(event["type"] for event in known)
    for kind, total in TOTALS.items():
        assert sampled(page, f"engagement_{total}_total", site="default") == types[kind], kind
    assert sampled(page, "engagement_records_total", outcome="applied") == len(known)
    assert sampled(page, "engagement_records_total") == len(known)
    assert sampled(page, "engagement_unaccounted_records") == 0
    assert len(page) < SERIES_MAX


def assert_folded(page: Samples) -> None:
    """Each shard names as many values as the cap allows; all others are one."""
    countries = {
        labels["value"]
        for _, pairs in page
        if (labels := dict(pairs)).get("dimension") == "country" and "value" in labels
    }
    assert "other" in countries
    assert len(countries) <= PARTITIONS * VALUES_MAX + 1
    fill = "engagement_worker_dimension_fill_ratio"
    assert sampled(page, fill, dimension="country") == 1.0
    assert sampled(page, "engagement_folded_events_total", dimension="country") > 0


def heaviest(worker: WorkerProcess) -> list[dict[str, Any]]:
    """Return the heavy people that a worker's page shows."""
    numbers = json.loads(read(worker, "/api/snapshot"))["numbers"]
    return list(numbers["heaviest"]) if numbers else []


def read(worker: WorkerProcess, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{worker.port}{path}", timeout=30) as answer:
        return bytes(answer.read())


def test_every_worker_names_the_heaviest_person_by_a_digest_and_never_by_the_id(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    sent = list(HEAVY["one person, by session id"].records(20_000))
    [shard] = {record.partition for record in sent if record.key == KIOSK.encode()}
    digest = person_digest(person_key("default", KIOSK))
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=2) as fleet:
        fleet.create_topics().start()
        fleet.produce(sent)
        fleet.flush()
        for worker in fleet.workers:
            wait_until(
                "the page names the heaviest person",
                lambda worker=worker: digest in {one["digest"] for one in heaviest(worker)},  # type: ignore[misc]
            )
            [shown] = [one for one in heaviest(worker) if one["digest"] == digest]
            assert shown["partition"] == shard
            assert HEAVY_RATIO < shown["ratio"] <= 1
        name = "engagement_worker_heaviest_person_ratio"
        ratios = [worker.value(name, partition=str(shard)) for worker in fleet.workers]
        assert sum(ratio > 0 for ratio in ratios) == 1, "only the owner of a shard has its gauge"
        assert max(ratios) > 0.8
        table = fleet.command("top", "--once", "--url", f"http://127.0.0.1:{fleet.workers[0].port}")
        for worker in fleet.workers:
            for path in ("/metrics", "/live", "/live/definitions", "/api/snapshot"):
                assert KIOSK.encode() not in read(worker, path), path
            assert digest.encode() not in read(worker, "/metrics")
        assert digest in table
        assert KIOSK not in table
    for worker in fleet.workers:
        assert KIOSK not in worker.log.read_text("utf-8")


def test_other_shards_of_a_worker_are_counted_while_one_has_a_backlog(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    hot, often = 0, {"PUBLISH_CUT_SECONDS": "0.1"}
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=1, settings=often) as fleet:
        fleet.create_topics()
        fleet.produce(HEAVY["one shard"].records(60_000))
        fleet.flush()
        backlogs: list[int] = []

        def others_are_counted() -> bool:
            stored = fleet.position()
            left = {tp: count - stored.get(tp, 0) for tp, count in fleet.sent.items()}
            backlogs.append(sum(count for (_, p), count in left.items() if p == hot))
            return not any(count for (_, p), count in left.items() if p != hot)

        [worker] = fleet.workers
        worker.start()
        wait_until("all other shards are counted", others_are_counted, PATIENCE)
        assert backlogs[-1] > 0, "the heavy shard had no backlog any more"
        fleet.wait_counted(PATIENCE)
