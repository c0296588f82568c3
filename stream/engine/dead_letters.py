"""Records that are not counted, encoded as dead letters until a checkpoint takes them."""

from schemas.codec import Reason, RejectedEvent
from schemas.dead_letter import dead_letter, encode_dead_letter
from schemas.rejection import DETAILS
from stream.engine.record import Record
from stream.engine.watermark import TopicState

#: Reasons that count as the outcome `rejected`; other reasons are outcomes of their own.
_REJECTED = (Reason.CROWDED, Reason.FUTURE, Reason.CURRENCY, Reason.NO_PERSON)


class DeadLetters:
    """Counts the records of a shard that are not applied, and writes a dead letter for each.

    `late_policy_is_drop`: late events are counted, without a dead letter.
    """

    def __init__(self, partition: int, late_policy_is_drop: bool) -> None:
        self._partition = partition
        self._late_policy_is_drop = late_policy_is_drop
        self._encoded: list[bytes] = []

    def reject(self, topic: TopicState, record: Record, error: RejectedEvent) -> None:
        """Reject a record that holds no valid event."""
        topic.counts["rejected"] += 1
        self._add(topic, record, error.reason, error.detail, None)

    def reject_event(self, topic: TopicState, record: Record, reason: Reason, time_ms: int) -> None:
        """Reject a valid event: without a person, future, in another currency, duplicate or late."""
        topic.counts["rejected" if reason in _REJECTED else str(reason)] += 1
        if reason is not Reason.LATE or not self._late_policy_is_drop:
            self._add(topic, record, reason, DETAILS[reason], time_ms)

    def take_changes(self) -> list[bytes]:
        """Give up the dead letters added since the last call."""
        encoded, self._encoded = self._encoded, []
        return encoded

    def clear(self) -> None:
        """Discard the dead letters."""
        self._encoded.clear()

    def _add(
        self, topic: TopicState, record: Record, reason: Reason, detail: str, time_ms: int | None
    ) -> None:
        topic.reasons[reason] = topic.reasons.get(reason, 0) + 1
        letter = dead_letter(
            reason,
            detail,
            topic=topic.topic,
            partition=self._partition,
            offset=record.offset,
            timestamp_ms=record.timestamp,
            key=record.key,
            original=record.value,
            event_time_ms=time_ms,
        )
        self._encoded.append(encode_dead_letter(letter))
