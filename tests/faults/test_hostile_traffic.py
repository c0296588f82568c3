"""Hostile traffic: invented sites, values and ids, and one id for everybody, stop and swell nothing.

`python -m tests.bench.hostile` does the same with a million events.
"""

from pathlib import Path
from statistics import median

import redis

from stream.settings.service import LimitSettings
from tests.faults.fleet import PARTITIONS, Fleet
from tests.faults.hostile import GOOD, SETTINGS, count, good_events, pod_limit
from tests.faults.worker_process import sampled, wait_until
from tests.servers.kafka_server import KafkaServer

#: More than a thousand of them are messages of one ticket.
EVENTS = 12_000
SERIES_MAX = 50_000
ANSWER_SECONDS = 1.0
#: For other programs on the machine: the answers themselves wait for it as well. Unbounded, one id for
#: everybody alone keeps them waiting for minutes.
MARGIN = 10


def test_hostile_traffic_is_counted_within_bounds(
    kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=1, settings=SETTINGS) as fleet:
        seen = count(fleet, EVENTS, timeout=600)
        [worker] = fleet.workers
        good = good_events(EVENTS)
        total = "engagement_events_total"
        wait_until("all good events are shown", lambda: worker.value(total, site=GOOD) == good, 300)
        page = worker.page()
        assert page is not None
        assert sampled(page, "engagement_records_total", outcome="applied") == EVENTS
        assert sampled(page, total, site="other") > 0, "no site was beyond the cap"
        assert sampled(page, "engagement_worker_cap_fill_ratio", cap="limits.sites_max") == 1.0
        assert sampled(page, "engagement_crowded_events_total", site="desk") > 0
        assert sampled(page, "engagement_unaccounted_records") == 0
        sites = {dict(labels)["site"] for name, labels in page if name == total}
        # Besides the first ones of each shard.
        assert len(sites - {"other", GOOD, "desk"}) <= PARTITIONS * LimitSettings().sites_max
    assert seen.samples <= SERIES_MAX
    assert min(seen.scrapes[-5:]) < ANSWER_SECONDS
    assert max(seen.answers) < MARGIN * ANSWER_SECONDS
    assert median(seen.answers) < ANSWER_SECONDS
    assert seen.memory < pod_limit()
    with redis.Redis.from_url(redis_url) as client:
        assert client.info("memory")["used_memory"] < 4_000 * EVENTS + (64 << 20)
