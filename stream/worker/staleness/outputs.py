"""Sends to the topics that a worker writes, and notices which of them refuse records."""

from collections.abc import Iterable

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from stream.kafka.producer import BatchProducer, Message
from stream.publish.staleness import StaleReason
from stream.worker.staleness.holds import Holds

#: Kafka's refusals, and how to mend each.
_MENDS: dict[type[KafkaError], str] = {
    TopicAuthorizationFailedError: "the right WRITE on it is missing; grant it to the worker's user",
    ClusterAuthorizationFailedError: (
        "the right WRITE on it, or IDEMPOTENT_WRITE on the cluster, is missing; grant it to the "
        "worker's user"
    ),
    UnknownTopicOrPartitionError: "it does not exist; run `engage topics create`",
    InvalidTopicError: "its name is not valid; change it in [topics]",
    MessageSizeTooLargeError: "a batch exceeds its max.message.bytes; raise it to 1048576 or more",
    RecordListTooLargeError: "a batch exceeds its segment.bytes; raise it",
    PolicyViolationError: "a policy of the broker refuses the records; ask who runs it",
}


class Outputs:
    """Sends for all parts of the worker. Counting goes on while a topic refuses."""

    def __init__(self, producer: BatchProducer) -> None:
        self._producer = producer
        #: Topic → why it refuses records, and how to mend that.
        self._refused: dict[str, str] = {}
        self.reasons = Holds()

    async def send(self, topic: str, messages: Iterable[Message]) -> int:
        """Send messages; return their number once Kafka has all. Raises KafkaError."""
        try:
            sent = await self._producer.send(topic, messages)
        except KafkaError as error:
            if mend := mend_of(error):
                self._refused[topic] = mend
                self._show()
            raise
        if self._refused.pop(topic, None):
            self._show()
        return sent

    def _show(self) -> None:
        texts = [f"Kafka refuses records of topic {t!r}: {why}" for t, why in self._refused.items()]
        self.reasons.note(StaleReason.OUTPUT_REFUSED, "; ".join(texts))


def mend_of(error: BaseException | None) -> str:
    """Return how to mend a refusal, also one that caused another error; empty for other failures."""
    while error is not None:
        for kind, mend in _MENDS.items():
            if isinstance(error, kind):
                return mend
        error = error.__cause__
    return ""
