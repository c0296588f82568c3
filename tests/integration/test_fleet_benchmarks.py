"""Small runs of the benchmarks of fleets, with workers from the sources."""

from pathlib import Path

from tests.bench import latency, scaling
from tests.bench.bench_fleet import Bench
from tests.bench.prepared import Wanted
from tests.servers.kafka_server import KafkaServer
from tests.servers.redis_server import RedisServer

#: A checkpoint every hundred people: a small backlog takes several.
SETTINGS = {"LIMITS_DIRTY_MAX": "100"}


def test_markers_become_visible_at_a_rate(
    kafka: KafkaServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    servers = Bench(kafka, redis_server, {}, (), tmp_path, SETTINGS)
    options = latency.Options(3_000, 2.0, 0.1, shares=(1.0,), rate=200.0)
    lines = latency.report(servers, "mixed", options)
    assert lines[0].startswith("mixed: ")
    share, rate, p50, p95, p99, longest, markers, *_ = lines[-1].split()
    assert share == "100%"
    assert 0 < float(p50) <= float(p95) <= float(p99) <= float(longest)
    assert int(markers) == 80
    assert float(rate) > 0


def test_a_worker_takes_over_shards_of_prepared_people(
    kafka: KafkaServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    servers = Bench(kafka, redis_server, {}, (), tmp_path, SETTINGS)
    wanted = Wanted(2_000, 3, events=500, visiting=100)
    point = scaling.by_state(servers, "people", 2_000, wanted, 3_000)
    assert point.shard_people > 400
    assert point.loading is not None and point.takeover is not None
    assert 0 < point.loading < point.takeover
    assert "people" in scaling.drawn(scaling.panels([point]))
