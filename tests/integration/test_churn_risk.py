"""The churn-risk model on real servers: after a kill it publishes and counts the same people."""

import json
import time
from collections import Counter
from pathlib import Path

from stream.churn.risk import StoredRisk
from stream.counters import measures
from tests.conftest import needs_river
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.stored import read_counts
from tests.faults.topics import read_all
from tests.faults.worker_process import wait_until
from tests.servers.kafka_server import KafkaServer

DAY_MS = 86_400_000
#: Days of traffic; the last ones are still open to late events.
DAYS, PEOPLE = 45, 240
SETTINGS = {
    "CHURN_RISK_ENABLED": "true",
    "CHURN_RISK_HORIZON_DAYS": "7",
    "CHURN_RISK_EXAMPLES_MIN": "100",
    "PUBLISH_CUT_SECONDS": "0.3",
}


def daily_views(start_ms: int) -> list[Record]:
    """Return the page views of people, half of them daily, the others for one week only."""
    found = []
    for day in range(DAYS):
        for who in range(PEOPLE):
            week = who % 35
            if who % 2 == 0 or week <= day < week + 7:
                at = start_ms + day * DAY_MS + who * 1_000
                event = {"type": "page_view", "page_url": "/", "event_id": f"e{day}-{who}",
                         "event_time": at, "visitor_id": f"v{who}"}  # fmt: skip
                value = json.dumps(event).encode()
                found.append(Record("page_views", who % PARTITIONS, b"k", value))
    return found


def risks(fleet: Fleet) -> dict[int, StoredRisk]:
    return {
        partition: shard.churn_risk
        for partition, shard in fleet.stored().items()
        if shard.churn_risk is not None
    }


def test_a_worker_killed_while_assessing_publishes_and_counts_every_person(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    needs_river()
    now_ms = time.time_ns() // 1_000_000
    start_ms = (now_ms // DAY_MS - DAYS) * DAY_MS
    last = 719_163 + start_ms // DAY_MS + DAYS - 1
    topic = f"risks-{now_ms}"
    with Fleet(
        kafka.bootstrap, redis_url, tmp_path, settings=SETTINGS | {"CHURN_RISK_TOPIC": topic}
    ) as fleet:
        fleet.create_topics().start()
        fleet.produce(daily_views(start_ms))
        fleet.flush()

        def settled(day: int) -> bool:
            found = risks(fleet)
            return len(found) == PARTITIONS and all(
                (one.settled or 0) >= day for one in found.values()
            )

        wait_until("the model has assessed some weeks", lambda: settled(last - 30))
        killed = next(worker for worker in fleet.workers if worker.running)
        killed.kill9()
        killed.start()
        # Silence ends the last day; settled counts wait for the log.
        wait_until(
            "every person of the last day is published",
            lambda: (
                len(risks(fleet)) == PARTITIONS
                and all(one.published_day >= last for one in risks(fleet).values())
            ),
        )
        fleet.wait_counted()
        counts = read_counts(fleet.settings)
        sent_risks = [json.loads(value) for _, value in read_all(fleet.settings, topic) if value]
    for day in (last - 10, last):
        assert counts.on(measures.RISK_PEOPLE, day) == counts.on(measures.ACTIVE_28D, day)
    newest = {
        one["person"]: one for one in sent_risks if one["day"] == max(o["day"] for o in sent_risks)
    }
    assert len(newest) == counts.on(measures.RISK_PEOPLE, last)
    assert Counter(newest[f"v{who}"]["band"] for who in range(0, PEOPLE, 2)) == {"low": PEOPLE // 2}
    assert newest["v31"]["band"] == "high"
