"""A small run of the benchmark of workloads, on a real Kafka and a real Redis."""

from tests.bench.contenders import CONTENDERS, INTERPRETED
from tests.bench.stage import Stage
from tests.bench.workloads.__main__ import measured
from tests.bench.workloads.catalogue import WORKLOADS
from tests.bench.workloads.table import document, table
from tests.servers.kafka_server import KafkaServer
from tests.servers.redis_server import RedisServer

EVENTS = 3_000


def test_both_contenders_read_all_topics_of_a_workload_to_their_end(
    kafka: KafkaServer,
    redis_server: RedisServer,  # Skips the test if Redis is missing: the worker starts its own.
) -> None:
    ours = next(one for one in CONTENDERS if one.module == INTERPRETED)
    mixed = WORKLOADS["mixed"]
    result = measured(Stage(kafka.bootstrap), mixed, ours, rounds=1, events=EVENTS)
    assert (result.raw.missing, result.ours.missing) == (None, None)  # or the reason
    assert (result.raw.events, result.ours.events) == (EVENTS, EVENTS)
    assert result.raw.ratio == 1
    assert result.ours.ratio > 0
    assert result.redis_bytes
    [run] = document([result])["workloads"]["mixed"]["runs"][INTERPRETED]
    assert run["applied"] == EVENTS
    assert table([result]).splitlines()[1].split()[0] == "mixed"
