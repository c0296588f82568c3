"""A producer that Kafka refuses goes on once it has the right, and finds a missing topic in seconds."""

from collections.abc import AsyncIterator

import pytest
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from confluent_kafka.admin import AclOperation, AdminClient
from confluent_kafka.cimpl import NewTopic
from msgspec.structs import replace

from stream.kafka.producer import BatchProducer
from stream.settings.application import Settings
from stream.settings.connections import KafkaSettings
from stream.worker.staleness.outputs import mend_of
from tests.servers.kafka_server import KafkaServer
from tests.servers.rights import CLUSTER, topic, without

TOPIC = "refusing"


@pytest.fixture
async def producer(guarded_kafka: KafkaServer) -> AsyncIterator[BatchProducer]:
    """A producer that the test starts."""
    admin = AdminClient({"bootstrap.servers": guarded_kafka.bootstrap})
    for created in admin.create_topics([NewTopic(TOPIC, 1, 1)]).values():
        created.result(30)
    settings = replace(Settings(), kafka=KafkaSettings(bootstrap_servers=guarded_kafka.bootstrap))
    producer = BatchProducer(settings)
    yield producer
    await producer.stop()


async def test_refusals_name_the_missing_right_and_end_with_it(
    producer: BatchProducer, guarded_kafka: KafkaServer
) -> None:
    bootstrap = guarded_kafka.bootstrap
    # Without any right to write Kafka gives no producer id, and aiokafka's sender ends for good.
    with (
        without(bootstrap, AclOperation.WRITE, topic("*")),
        without(bootstrap, AclOperation.IDEMPOTENT_WRITE, CLUSTER),
    ):
        await producer.start()
        for _ in range(2):
            with pytest.raises(KafkaError) as refused:
                await producer.send(TOPIC, [(None, b"1")])
            assert "IDEMPOTENT_WRITE" in mend_of(refused.value)
    with without(bootstrap, AclOperation.WRITE, topic(TOPIC)):
        for _ in range(2):
            with pytest.raises(KafkaError) as refused:
                await producer.send(TOPIC, [(None, b"2")])
            assert "the right WRITE" in mend_of(refused.value)
    for _ in range(2):
        assert await producer.send(TOPIC, [(None, b"3")]) == 1
    with pytest.raises(UnknownTopicOrPartitionError):
        await producer.send("nowhere", [(None, b"4")])
    assert await producer.send(TOPIC, [(None, b"5")]) == 1
