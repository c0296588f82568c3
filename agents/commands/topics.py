"""`engage topics create`: creates the topics that this application needs."""

import contextlib
import sys
from collections.abc import Iterable
from typing import NamedTuple, TextIO

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError, TopicAuthorizationFailedError

from agents.commands.kafka_clients import open_admin, reaching
from stream.counters.calendar import DAY_MS
from stream.settings.application import Settings

TIMESTAMP_TYPE = "message.timestamp.type"
CLEANUP_POLICY = "cleanup.policy"
LOG_APPEND_TIME = "LogAppendTime"
# Two weeks to notice and replay dead letters; the broker's default may be hours.
LEDGER_RETENTION_MS = 14 * DAY_MS
CREATE_TIMEOUT_MS = 5_000
ADVICE = (
    "nothing was changed: all input topics need the same number of partitions, and with more of "
    "them people would be counted twice; set topics.partitions to what exists, or name new topics"
)


class Wanted(NamedTuple):
    """A topic that the settings ask for."""

    name: str
    partitions: int
    configs: dict[str, str]
    is_input: bool


class Existing(NamedTuple):
    """A topic that the broker has."""

    partitions: int
    configs: dict[str, str]


def wanted_topics(settings: Settings) -> list[Wanted]:
    """List every topic that the settings name, inputs first."""
    topics = settings.topics
    # The broker stamps records: a producer with a wrong clock must not make late events look timely.
    by_broker = {TIMESTAMP_TYPE: LOG_APPEND_TIME}
    inputs = [Wanted(name, topics.partitions, by_broker, True) for name in topics.inputs]
    # One partition keeps the records of a metric in order; compaction keeps the newest of each.
    metrics = Wanted(topics.metrics, 1, {CLEANUP_POLICY: "compact"}, False)
    kept = {CLEANUP_POLICY: "delete", "retention.ms": str(LEDGER_RETENTION_MS)}
    ledger = Wanted(topics.ledger, topics.partitions, kept, False)
    risk = settings.churn_risk
    risks = [Wanted(risk.topic, topics.partitions, {CLEANUP_POLICY: "compact"}, False)]
    return [*inputs, metrics, ledger, *(risks if risk.enabled and risk.topic else ())]


def existing_topics(
    settings: Settings, admin: KafkaAdminClient, names: Iterable[str]
) -> dict[str, Existing]:
    """Read the topics of `names` that exist, with their settings. Raises KafkaUnreachable."""
    wanted = set(names)
    with reaching(settings):
        # Lists all topics: some brokers create a topic that is asked for by name.
        found = {
            topic["name"]: len(topic["partitions"])
            for topic in admin.describe_topics()
            if topic["name"] in wanted
        }
        if not found:
            return {}
        keys = dict.fromkeys((TIMESTAMP_TYPE, CLEANUP_POLICY, "retention.ms"))
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, keys) for name in found]
        configs = {}
        # Without the right to read settings, they are not compared; `engage check` names it.
        with contextlib.suppress(TopicAuthorizationFailedError):
            configs = admin.describe_configs(resources, config_filter="all").get("topic", {})
    return {
        name: Existing(
            partitions,
            {key: str(entry["value"]) for key, entry in configs.get(name, {}).items()},
        )
        for name, partitions in found.items()
    }


def unequal(wanted: Iterable[Wanted], existing: dict[str, Existing]) -> list[str]:
    """Write a sentence for each existing topic with another number of partitions than wanted."""
    return [
        f"{topic.name} has {existing[topic.name].partitions} partitions, wanted {topic.partitions}"
        for topic in wanted
        if topic.name in existing and existing[topic.name].partitions != topic.partitions
    ]


def run_topics_create(settings: Settings, out: TextIO | None = None) -> int:
    """Create missing topics; 0 if all are as wanted, else 1, with no topic created.

    Raises KafkaUnreachable.
    """
    out = out or sys.stdout
    wanted = wanted_topics(settings)
    names = [topic.name for topic in wanted]
    inputs = [topic for topic in wanted if topic.is_input]
    admin = open_admin(settings)
    try:
        before = existing_topics(settings, admin, names)
        refusals = unequal(inputs, before)
        if not refusals:
            _create(settings, admin, [topic for topic in wanted if topic.name not in before])
            # Another process may have created one meanwhile, with other partitions.
            after = existing_topics(settings, admin, names)
            refusals = unequal(inputs, after)
    finally:
        admin.close()
    if refusals:
        print("\n".join([*refusals, ADVICE]), file=out)
        return 1
    for topic in wanted:
        count = after[topic.name].partitions
        state = "exists" if topic.name in before else "created"
        print(f"{state:<8} {topic.name} ({count} partition{'s' * (count > 1)})", file=out)
    for warning in differences(wanted, after):
        print(f"warning: {warning}", file=out)
    return 0


def differences(wanted: Iterable[Wanted], existing: dict[str, Existing]) -> list[str]:
    """Write a sentence for each setting of an existing topic that is not as wanted."""
    return [
        f"{topic.name} has {key}={found}, wanted {value}; change it with kafka-configs"
        for topic in wanted
        for key, value in topic.configs.items()
        if key != "retention.ms"
        and (found := existing.get(topic.name, Existing(0, {})).configs.get(key, value)) != value
    ]


def _create(settings: Settings, admin: KafkaAdminClient, missing: list[Wanted]) -> None:
    if not missing:
        return
    request = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": settings.topics.replication_factor,
            "configs": topic.configs,
        }
        for topic in missing
    }
    with reaching(settings):
        # The caller compares the topics that another process has created first.
        with contextlib.suppress(TopicAlreadyExistsError):
            admin.create_topics(request, timeout_ms=CREATE_TIMEOUT_MS)
        admin.wait_for_topics([topic.name for topic in missing], timeout_ms=CREATE_TIMEOUT_MS)
