"""The servers of all other tests: they start, keep records, and survive a crash."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
import redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.simulation.servers import EmbeddedKafka, EmbeddedRedis
from tests.conftest import missing, provided
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerMissing
from tests.servers.redis_server import RedisServer, installed_redis

RECORDS = [f"record {number}".encode() for number in range(100)]
CODECS = ["lz4", "zstd", "snappy", "gzip"]


async def send(bootstrap: str, topic: str, codec: str | None = None) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, compression_type=codec) as producer:
        for record in RECORDS:
            await producer.send(topic, record, partition=0)
        await producer.flush()


async def receive(bootstrap: str, topic: str) -> list[bytes]:
    """Return all records of partition 0, read up to its high-water mark."""
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes] = []
        while len(values) < end:
            batch = await asyncio.wait_for(consumer.getmany(timeout_ms=500), 20)
            values += [record.value for record in batch.get(partition, [])]
        return values


@pytest.fixture
def embedded_kafka() -> Iterator[str]:
    server = EmbeddedKafka()
    bootstrap = server.start()
    server.create_topics(["round-trip"])
    yield bootstrap
    server.stop()


@pytest.fixture(params=["path", "wheel"])
def embedded_redis(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    if request.param == "path":
        if installed_redis() is None:
            missing(ServerMissing("redis-server is not installed"))
    else:
        monkeypatch.setenv("PATH", "")
    server = EmbeddedRedis()
    yield server.start()
    server.stop()


@pytest.mark.parametrize("codec", CODECS)
def test_a_record_goes_to_the_broker_and_back(
    kafka: KafkaServer, topics: Callable[..., str], codec: str
) -> None:
    topic = topics("round-trip", partitions=1)
    asyncio.run(send(kafka.bootstrap, topic, codec))
    assert asyncio.run(receive(kafka.bootstrap, topic)) == RECORDS


def test_a_killed_broker_keeps_its_records_and_its_address() -> None:
    with provided(KafkaServer) as server:
        admin = AdminClient({"bootstrap.servers": server.bootstrap})
        admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(timeout=30)
        asyncio.run(send(server.bootstrap, "kept"))
        before = server.bootstrap
        server.kill()
        assert not server.running
        server.start()
        assert server.bootstrap == before
        assert asyncio.run(receive(server.bootstrap, "kept")) == RECORDS


def test_a_killed_redis_keeps_its_data_on_disk() -> None:
    with provided(lambda: RedisServer(("--appendfsync", "always"))) as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("kept", "yes")
        server.kill()
        server.start()
        with redis.Redis.from_url(server.url) as client:
            assert client.get("kept") == b"yes"
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_every_test_gets_an_empty_database(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


@pytest.mark.parametrize("codec", [None, *CODECS])
def test_a_record_goes_to_the_embedded_broker_and_back(
    embedded_kafka: str, codec: str | None
) -> None:
    asyncio.run(send(embedded_kafka, "round-trip", codec))
    assert asyncio.run(receive(embedded_kafka, "round-trip")) == RECORDS


def test_a_topic_of_the_embedded_broker_has_four_partitions() -> None:
    server = EmbeddedKafka()
    bootstrap = server.start()
    server.create_topics(["clicks"])

    async def partitions() -> set[int]:
        async with AIOKafkaConsumer("clicks", bootstrap_servers=bootstrap) as consumer:
            return consumer.partitions_for_topic("clicks") or set()

    try:
        assert asyncio.run(partitions()) == {0, 1, 2, 3}
    finally:
        server.stop()


def test_a_value_goes_to_the_embedded_redis_and_back(embedded_redis: str) -> None:
    with redis.Redis.from_url(embedded_redis) as client:
        client.set("page", "home")
        assert client.get("page") == b"home"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_embedded_redis_is_gone_after_stop() -> None:
    server = EmbeddedRedis()
    url = server.start()
    server.stop()
    with redis.Redis.from_url(url) as client, pytest.raises(redis.ConnectionError):
        client.ping()
