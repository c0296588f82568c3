"""Sends to the topics that a worker writes, and notices which of them refuse records."""

import time
from collections.abc import Iterable
from itertools import count

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

#: A batch takes much less, also while a leader changes.
WAIT_SECONDS = 30.0
#: A topic that this worker has not tried for this long is another worker's: every wait is shorter.
GIVEN_UP_SECONDS = 150.0
_NO_ANSWER = (
    "it has taken none for over 30 s; check that its partitions have leaders, and as many replicas in "
    "sync as min.insync.replicas"
)
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
        #: Topic → monotonic seconds of the last try.
        self._tried_at: dict[str, float] = {}
        #: What is being sent: topic, and the monotonic seconds of its beginning.
        self._sending: dict[int, tuple[str, float]] = {}
        self._numbers = count()
        self.reasons = Holds()

    async def send(self, topic: str, messages: Iterable[Message]) -> int:
        """Send messages; return their number once Kafka has all. Raises KafkaError."""
        number = next(self._numbers)
        self._tried_at[topic] = time.monotonic()
        self._sending[number] = topic, time.monotonic()
        try:
            sent = await self._producer.send(topic, messages)
        except KafkaError as error:
            if mend := mend_of(error):
                self._refused[topic] = mend
                self._show()
            raise
        finally:
            del self._sending[number]
        if self._refused.pop(topic, None):
            self._show()
        return sent

    def look(self, *, is_kafka_there: bool) -> None:
        """Take a topic that has kept records waiting for long for a refusing one.

        Kafka's client tries again for ever where a refusal may pass. It waits for Kafka as well.
        """
        now = time.monotonic()
        if not is_kafka_there:
            self._sending = {number: (topic, now) for number, (topic, _) in self._sending.items()}
        for topic, since in self._sending.values():
            if is_kafka_there and now - since > WAIT_SECONDS:
                self._refused.setdefault(topic, _NO_ANSWER)
        # After a change of the publisher, for example, only another worker finds out.
        trying = {topic for topic, _ in self._sending.values()}
        for topic in self._refused.keys() - trying:
            if now - self._tried_at[topic] > GIVEN_UP_SECONDS:
                del self._refused[topic]
        self._show()

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
