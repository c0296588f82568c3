"""Kafka as a reason why numbers are not live: it does not answer, or refuses records."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from stream.worker.clock import now_ms
from stream.worker.staleness.broker import BrokerWatch
from stream.worker.staleness.holds import Holds
from stream.worker.staleness.outputs import Outputs
from tests.unit.worker.stand_ins import TOPIC, Log, Redis, owner, partitions


def texts(holds: Holds) -> dict[str, str]:
    return {one.reason: one.text for one in holds.stale}


class Kafka:
    """A producer whose topics refuse with the given errors."""

    def __init__(self) -> None:
        self.errors: dict[str, KafkaError] = {}

    async def send(self, topic: str, messages: Any) -> int:
        if topic in self.errors:
            raise self.errors[topic]
        return len(messages)


def caused() -> KafkaError:
    """Return the error of a sender that has ended for good."""
    error = KafkaError("Unexpected error during batch delivery")
    error.__cause__ = ClusterAuthorizationFailedError()
    return error


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (TopicAuthorizationFailedError("t"), "the right WRITE on it is missing"),
        (caused(), "IDEMPOTENT_WRITE on the cluster"),
        (UnknownTopicOrPartitionError(), "engage topics create"),
    ],
)
async def test_a_refusing_topic_is_named_with_its_mend(error: KafkaError, mend: str) -> None:
    kafka: Any = Kafka()
    outputs = Outputs(kafka)
    kafka.errors["metrics"] = error
    with pytest.raises(KafkaError):
        await outputs.send("metrics", [])
    await outputs.send("ledger", [])
    text = texts(outputs.reasons)["output_refused"]
    assert "'metrics'" in text
    assert mend in text
    kafka.errors.clear()
    await outputs.send("metrics", [])
    assert texts(outputs.reasons) == {}


async def test_a_broker_without_an_answer_refuses_nothing() -> None:
    kafka: Any = Kafka()
    outputs = Outputs(kafka)
    kafka.errors["metrics"] = KafkaConnectionError("no broker")
    with pytest.raises(KafkaError):
        await outputs.send("metrics", [])
    assert texts(outputs.reasons) == {}


async def test_kafka_is_away_if_neither_a_fetch_nor_a_question_is_answered() -> None:
    answers: list[bool] = []

    async def ask() -> None:
        if not answers.pop(0):
            raise KafkaConnectionError("no broker")

    log = Log(ends={TOPIC: (5, now_ms())})
    one = owner(Redis(), log)
    await one.assigned(partitions(0))
    watch = BrokerWatch(one, log, [TOPIC], ask)
    await watch.look()
    log.ends[TOPIC] = 5, now_ms() - 20_000
    watch._answered_ms = 0
    answers += [True, False, False]
    await watch.look()
    assert texts(one.reasons) == {}, "batches wait, so nothing is fetched; Kafka answers"
    watch._answered_ms = 1
    await watch.look()
    assert "broker_away" in texts(one.reasons)
    await watch.look()
    log.ends[TOPIC] = 5, now_ms()
    await watch.look()
    assert texts(one.reasons) == {}


async def test_a_topic_that_keeps_records_waiting_refuses_them_unless_kafka_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = asyncio.Event()

    class Waiting:
        """A producer that waits until a test lets it go on."""

        async def send(self, topic: str, messages: Any) -> int:
            await taken.wait()
            return 0

    kafka: Any = Waiting()
    outputs = Outputs(kafka)
    sending = asyncio.create_task(outputs.send("metrics", []))
    await asyncio.sleep(0)
    outputs.look(is_kafka_there=True)
    assert texts(outputs.reasons) == {}
    monkeypatch.setattr("stream.worker.staleness.outputs.WAIT_SECONDS", -1.0)
    outputs.look(is_kafka_there=False)
    assert texts(outputs.reasons) == {}
    outputs.look(is_kafka_there=True)
    assert "min.insync.replicas" in texts(outputs.reasons)["output_refused"]
    taken.set()
    await sending
    assert texts(outputs.reasons) == {}


async def test_a_topic_that_this_worker_no_longer_writes_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kafka: Any = Kafka()
    outputs = Outputs(kafka)
    kafka.errors["metrics"] = TopicAuthorizationFailedError("metrics")
    with pytest.raises(KafkaError):
        await outputs.send("metrics", [])
    outputs.look(is_kafka_there=True)
    assert "output_refused" in texts(outputs.reasons)
    monkeypatch.setattr("stream.worker.staleness.outputs.GIVEN_UP_SECONDS", -1.0)
    outputs.look(is_kafka_there=True)
    assert texts(outputs.reasons) == {}
