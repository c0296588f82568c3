"""Identity of the Kafka log that is counted, and what to do if the stored counts have another one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from stream.publish.staleness import StaleReason


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """Partition count of the input topics, and the ids that Kafka gave the cluster and the topics."""

    partitions: int
    #: Empty if the broker does not say.
    cluster: str = ""
    #: Topic → id; without topics whose id is unknown, as with brokers before 2.8.
    topic_ids: Mapping[str, str] = field(default_factory=dict)


class Mismatch(NamedTuple):
    """Reason why counts and log do not belong together, what was found, and what to do."""

    reason: StaleReason
    found: str
    advice: str

    @property
    def text(self) -> str:
        """The finding and the advice in one message."""
        return f"{self.found}. {self.advice}"


def find_mismatch(app: str, counted: LogIdentity, found: LogIdentity) -> Mismatch | None:
    """Compare the log that was counted with the one that Kafka has now, as far as both are known."""
    if counted.cluster and found.cluster and counted.cluster != found.cluster:
        return other_cluster(app, counted.cluster, found.cluster)
    for topic, now in found.topic_ids.items():
        before = counted.topic_ids.get(topic, now)
        if before != now:
            return topic_replaced(topic, f"its id was {before} and is {now}")
    if counted.partitions != found.partitions:
        return partitions_changed(app, counted.partitions, found.partitions)
    return None


def other_cluster(app: str, counted: str, found: str) -> Mismatch:
    """Describe counts of another cluster."""
    return Mismatch(
        StaleReason.OTHER_CLUSTER,
        f"the counts of app {app!r} are those of Kafka cluster {counted}, but "
        f"kafka.bootstrap_servers leads to cluster {found}, where their offsets mean nothing",
        "Set another `app` for this cluster, or correct kafka.bootstrap_servers or redis.url. If the "
        "topics were moved here with their offsets, run `engage state adopt`",
    )


def topic_replaced(topic: str, found: str) -> Mismatch:
    """Describe counts of a topic that is gone; `found` says by what it was noticed."""
    return Mismatch(
        StaleReason.TOPIC_REPLACED,
        f"topic {topic!r} was deleted or created again ({found}): the offsets counted so far mean "
        "nothing in it",
        "Count what Kafka holds now with `engage backfill --accept-loss` and start the workers "
        "again, or set another `app`. If it was restored with its offsets, run `engage state adopt`",
    )


def partitions_changed(app: str, counted: int, found: int) -> Mismatch:
    """Describe counts of another number of partitions."""
    return Mismatch(
        StaleReason.PARTITIONS_CHANGED,
        f"the counts of app {app!r} are those of {counted} partitions, but the input topics have "
        f"{found}, so the events of a person now go to another shard",
        "Kafka cannot take partitions away: count again with `engage backfill` and start the "
        "workers again (people who moved count twice, once before and once after), or fill new "
        "topics and set another `app`",
    )


def partitions_unequal(counts: Mapping[str, int]) -> Mismatch:
    """Describe input topics with different numbers of partitions."""
    listed = ", ".join(f"{topic} has {count}" for topic, count in sorted(counts.items()))
    return Mismatch(
        StaleReason.PARTITIONS_CHANGED,
        f"the input topics must have equal partition counts, but {listed}: a person's events would "
        "be spread over several shards",
        "Give every input topic the highest count with `kafka-topics --alter`; if events are "
        "counted already, then run `engage backfill` and start the workers again",
    )
