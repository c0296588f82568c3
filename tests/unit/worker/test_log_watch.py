"""Counting stops if Kafka's log is another one, and not for what may pass."""

from collections.abc import Mapping

import pytest
from aiokafka.errors import KafkaConnectionError

from stream.kafka.metadata import Found, FoundTopic
from stream.publish.log_identity import LogIdentity
from stream.publish.staleness import StaleReason
from stream.worker.status import OwnerStatus
from stream.worker.watch.log import LogWatch
from tests.unit.worker.stand_ins import SETTINGS

INPUTS, OUTPUTS = SETTINGS.topics.inputs, SETTINGS.output_topics
IDS = {topic: f"id of {topic}" for topic in INPUTS}


def kafka(
    *without: str,
    cluster: str = "here",
    partitions: int = 4,
    ids: Mapping[str, str] = IDS,
    grown: Mapping[str, int] | None = None,
) -> Found:
    topics = {
        topic: FoundTopic((grown or {}).get(topic, partitions), ids.get(topic, ""))
        for topic in (*INPUTS, *OUTPUTS)
        if topic not in without
    }
    return Found(cluster, topics, frozenset())


def holds(status: OwnerStatus) -> dict[StaleReason, str]:
    """Return the held reasons with their texts."""
    return {StaleReason(one.reason): one.text for one in status.reasons.stale}


async def reasons(*looks: Found, counted: LogIdentity | None = None) -> dict[StaleReason, str]:
    """Return the reasons that are held after these looks."""
    status, answers = OwnerStatus(), list(looks)

    async def look(_: object) -> Found:
        return answers.pop(0)

    watch = LogWatch(SETTINGS, counted or LogIdentity(4, "here", IDS), status, look)
    for _ in looks:
        await watch.look()
    return holds(status)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (kafka(partitions=8), StaleReason.PARTITIONS_CHANGED),
        (kafka(grown={INPUTS[1]: 8}), StaleReason.PARTITIONS_CHANGED),
        (kafka(ids={**IDS, INPUTS[1]: "new"}), StaleReason.TOPIC_REPLACED),
        (kafka(ids={**IDS, INPUTS[1]: "new"}, grown={INPUTS[1]: 2}), StaleReason.TOPIC_REPLACED),
        (kafka(cluster="there", partitions=8, ids={}), StaleReason.OTHER_CLUSTER),
    ],
)
async def test_another_log_stops_counting(found: Found, reason: StaleReason) -> None:
    assert list(await reasons(kafka(), found)) == [reason]


@pytest.mark.parametrize(
    "looks",
    [
        [kafka()],
        # A broker that does not know of a topic, or of its growth, yet.
        [kafka(INPUTS[0], OUTPUTS[0]), kafka()],
        [kafka(grown={INPUTS[1]: 2})],
        # A broker before 2.8.
        [kafka(ids={}, cluster="")],
    ],
    ids=["same", "missing once", "fewer", "no ids"],
)
async def test_what_may_pass_does_not_stop_counting(looks: list[Found]) -> None:
    assert await reasons(*looks) == {}


async def test_ids_that_were_unknown_are_learned() -> None:
    old, new = LogIdentity(4), kafka(ids={**IDS, INPUTS[1]: "new"})
    assert await reasons(kafka(ids={}, cluster=""), kafka(), counted=old) == {}
    assert list(await reasons(kafka(), new, counted=old)) == [StaleReason.TOPIC_REPLACED]


async def test_a_missing_topic_is_said_at_the_second_look() -> None:
    held = await reasons(kafka(INPUTS[0]), kafka(INPUTS[0]))
    assert "it is missing" in held[StaleReason.TOPIC_REPLACED]
    held = await reasons(kafka(OUTPUTS[0]), kafka(OUTPUTS[0]))
    assert OUTPUTS[0] in held[StaleReason.OUTPUT_REFUSED]
    assert await reasons(kafka(OUTPUTS[0]), kafka(OUTPUTS[0]), kafka()) == {}


async def test_a_silent_broker_changes_nothing() -> None:
    async def look(_: object) -> Found:
        raise KafkaConnectionError

    status = OwnerStatus()
    watch = LogWatch(SETTINGS, LogIdentity(4, "here", IDS), status, look)
    await watch.look()
    await watch.verify()
    assert holds(status) == {}
