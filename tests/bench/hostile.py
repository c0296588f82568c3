"""`python -m tests.bench.hostile`: a million hostile events through one worker, and what they cost it."""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import quantiles

import redis

from tests.faults.fleet import Fleet
from tests.faults.hostile import GOOD, SETTINGS, count, good_events, pod_limit
from tests.servers.kafka_server import KafkaServer
from tests.servers.redis_server import RedisServer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hostile", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--timeout", type=float, default=7_200)
    given = parser.parse_args()
    with KafkaServer() as kafka, RedisServer() as server, tempfile.TemporaryDirectory() as folder:
        with Fleet(
            kafka.bootstrap, server.url, Path(folder), workers=1, settings=SETTINGS
        ) as fleet:
            began = time.monotonic()
            seen = count(fleet, given.events, given.timeout)
            seconds = time.monotonic() - began
            [worker] = fleet.workers
            time.sleep(3)
            good = worker.value("engagement_events_total", site=GOOD)
            series = seen.samples
        used = redis.Redis.from_url(server.url).info("memory")["used_memory"]
    late = quantiles(seen.answers, n=100)
    print(f"events             {given.events:,} in {seconds:,.0f} s, with sending")
    print(f"good events        {good:,.0f} of {good_events(given.events):,}")
    print(
        f"/healthz           {late[49]:.3f} s median, {late[98]:.3f} s p99, {max(seen.answers):.2f} s longest"
    )
    print(
        f"scrape             {seen.scrapes[-1]:.2f} s last, {max(seen.scrapes):.2f} s longest, {series:,} series"
    )
    print(f"memory             {seen.memory >> 20:,} MiB of {pod_limit() >> 20:,} MiB")
    print(f"redis              {used >> 20:,} MiB")


if __name__ == "__main__":
    main()
