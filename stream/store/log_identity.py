"""Keeps beside each shard which Kafka log its counts are those of."""

from collections.abc import Iterable, Mapping

from stream.publish.log_identity import LogIdentity
from stream.store.connection import RedisClient
from stream.store.keys import ShardKeys

_CLUSTER, _PARTITIONS, _TOPIC = "cluster", "partitions", "topic:"


def claim_arguments(log: LogIdentity) -> list[str | int]:
    """Return partition count, cluster, and field and id of each topic, as CLAIM compares them."""
    ids = [part for topic, found in log.topic_ids.items() for part in (_TOPIC + topic, found)]
    return [log.partitions, log.cluster, *ids]


def with_stored(log: LogIdentity, fields: Mapping[str, str]) -> LogIdentity:
    """Return `log` with the stored fields in the place of its own."""
    ids = {k.removeprefix(_TOPIC): v for k, v in fields.items() if k.startswith(_TOPIC)}
    return LogIdentity(
        int(fields.get(_PARTITIONS) or log.partitions),
        fields.get(_CLUSTER, log.cluster),
        {**log.topic_ids, **ids},
    )


async def read_log_identity(
    client: RedisClient, state_name: str, partitions: int, topics: Iterable[str]
) -> LogIdentity | None:
    """Return the log of the first stored shard of a state, with the known ids of `topics`."""
    fields = [_PARTITIONS, _CLUSTER, *(_TOPIC + topic for topic in topics)]
    for partition in range(partitions):
        meta = ShardKeys(state_name, partition).meta
        values = await client.execute_command("HMGET", meta, *fields)
        if values[0] is not None:
            known = {k: v.decode() for k, v in zip(fields, values, strict=True) if v is not None}
            return with_stored(LogIdentity(0), known)
    return None


def log_fields(fields: Iterable[str]) -> list[str]:
    """Return the fields of a meta hash that hold ids; a shard without them learns them when claimed."""
    return [field for field in fields if field == _CLUSTER or field.startswith(_TOPIC)]
