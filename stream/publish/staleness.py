"""Reasons why the published numbers are not live: one word each, the same on every surface."""

from enum import StrEnum


class StaleReason(StrEnum):
    """Names of /readyz, the live page, the gauge `engagement_stale` and the log."""

    #: No partition is assigned yet, or the first snapshot is not there yet.
    STARTING = "starting"
    BROKER_AWAY = "broker_away"
    REDIS_AWAY = "redis_away"
    #: A shard's state was lost or given up, and its log is read again.
    SHARDS_REBUILDING = "shards_rebuilding"
    #: No worker owns a shard.
    SHARDS_WITHOUT_OWNER = "shards_without_owner"
    #: A topic has another number of partitions than the stored state.
    PARTITIONS_CHANGED = "partitions_changed"
    #: The stored state was counted from another Kafka cluster.
    OTHER_CLUSTER = "other_cluster"
    #: A topic was deleted and created again.
    TOPIC_REPLACED = "topic_replaced"
    #: Redis may evict counters.
    REDIS_EVICTS = "redis_evicts"
    PUBLISHER_STUCK = "publisher_stuck"
    WATERMARK_STUCK = "watermark_stuck"
    #: A topic that the worker writes refuses records: missing, or without the right to write.
    OUTPUT_REFUSED = "output_refused"
