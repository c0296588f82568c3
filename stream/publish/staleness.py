"""Reasons why the published numbers are not live: one word each, the same on every surface."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec


class StaleReason(StrEnum):
    """Names of /readyz, the live page, the gauge `engagement_stale` and the log."""

    #: No partition is assigned yet, or the first snapshot is not there yet.
    STARTING = "starting"
    #: A log is counted for the first time, up to where it ended when counting began.
    FIRST_COUNT = "first_count"
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


#: Sums are incomplete or foreign: values are wrong from the first moment.
WRONG = frozenset(
    {
        StaleReason.FIRST_COUNT,
        StaleReason.SHARDS_REBUILDING,
        StaleReason.PARTITIONS_CHANGED,
        StaleReason.OTHER_CLUSTER,
        StaleReason.TOPIC_REPLACED,
    }
)
#: Values in the snapshot stay right: something beside them is missing, or at risk.
RIGHT = frozenset({StaleReason.STARTING, StaleReason.REDIS_EVICTS, StaleReason.OUTPUT_REFUSED})
#: True of one worker alone: other workers find out for themselves.
OF_ONE_WORKER = frozenset(
    {StaleReason.STARTING, StaleReason.REDIS_AWAY, StaleReason.PUBLISHER_STUCK}
)

#: What the log says when a reason is over, before its duration.
OVER: Mapping[str, str] = MappingProxyType(
    {
        StaleReason.STARTING: "the worker has started",
        StaleReason.FIRST_COUNT: "the log is counted",
        StaleReason.BROKER_AWAY: "Kafka is back",
        StaleReason.REDIS_AWAY: "Redis is back",
        StaleReason.SHARDS_REBUILDING: "all shards are counted again",
        StaleReason.SHARDS_WITHOUT_OWNER: "every shard has an owner again",
        StaleReason.PARTITIONS_CHANGED: "the partitions are as counted again",
        StaleReason.OTHER_CLUSTER: "the Kafka cluster is the counted one again",
        StaleReason.TOPIC_REPLACED: "the topics are the counted ones again",
        StaleReason.REDIS_EVICTS: "Redis evicts nothing any more",
        StaleReason.PUBLISHER_STUCK: "new numbers are published again",
        StaleReason.WATERMARK_STUCK: "the watermark moves again",
        StaleReason.OUTPUT_REFUSED: "the output topics take records again",
    }
)


class Stale(msgspec.Struct, array_like=True, frozen=True):
    """One reason why numbers are not live, since when in epoch ms, and how to mend it."""

    #: A StaleReason; a newer worker may name one that is unknown here.
    reason: str
    since_ms: int
    text: str


def joined(parts: Iterable[Stale]) -> list[Stale]:
    """Return each reason once, with its earliest time and the text of that time; oldest first."""
    found: dict[str, Stale] = {}
    for one in sorted(parts, key=lambda stale: (stale.since_ms, stale.reason, stale.text)):
        found.setdefault(one.reason, one)
    return list(found.values())


def is_withheld(stale: Iterable[Stale], now_ms: int, limit_ms: int) -> bool:
    """Return whether the values are wrong, or have been old for longer than `limit_ms`.

    A reason that this version does not know counts as old: its values cannot be judged.
    """
    return any(
        one.reason in WRONG or (one.reason not in RIGHT and now_ms - one.since_ms > limit_ms)
        for one in stale
    )
