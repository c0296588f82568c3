"""Questions to Kafka before the intake starts: partitions of topics, and what records were keyed for."""

from collections.abc import Collection, Mapping

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.structs import TopicPartition

from stream.intake.process import group_of
from stream.kafka.group_offsets import GroupOffsets
from stream.kafka.metadata import ClusterMetadata
from stream.kafka.options import aiokafka_options
from stream.kafka.transactions import transactional_id
from stream.rekey.progress import read_progress
from stream.settings.application import Settings

#: A new cluster makes the topic of its transactions at the first request.
_NOT_YET = (CoordinatorNotAvailableError, CoordinatorLoadInProgressError)


async def look(settings: Settings, topics: Collection[str]) -> Mapping[str, int]:
    """Return the partition counts of the topics that exist. Raises KafkaError, OSError, TimeoutError."""
    metadata = ClusterMetadata(settings)
    try:
        found = await metadata.look(topics)
    finally:
        await metadata.close()
    return {name: topic.partitions for name, topic in found.topics.items()}


async def keyed_for(settings: Settings, topics: Collection[str]) -> set[int]:
    """Return the partition counts that records of these topics were keyed for, by the group's offsets.

    Raises KafkaError, OSError, TimeoutError.
    """
    counts = await look(settings, topics)
    places = [TopicPartition(topic, n) for topic, count in counts.items() for n in range(count)]
    if not places:
        return set()
    offsets = GroupOffsets(settings, group_of(settings))
    try:
        found = await offsets.read(places, stable=False)
    finally:
        await offsets.close()
    known = (read_progress(one.metadata) for one in found.values())
    return {progress.partitions for progress in known if progress is not None}


async def may_write_transactions(settings: Settings, topic: str) -> bool:
    """Whether the user has the right to the transactional ids of a topic. Raises KafkaError, OSError.

    Kafka is asked who coordinates the first one: to begin a transaction would fence who writes it.
    """
    client = AIOKafkaClient(**aiokafka_options(settings))
    try:
        await client.bootstrap()
        name = transactional_id(group_of(settings), TopicPartition(topic, 0))
        await client.coordinator_lookup(CoordinationType.TRANSACTION, name)
    except TransactionalIdAuthorizationFailed:
        return False
    except _NOT_YET:
        return True
    finally:
        await client.close()
    return True
