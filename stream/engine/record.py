"""Kafka records as the engine takes them: raw and decoded."""

from typing import Protocol

from schemas.codec import RejectedEvent
from schemas.events import Event

#: A decoded record: the event and its time in epoch ms, or the reason for its rejection.
Decoded = tuple[Event, int] | RejectedEvent


class Record(Protocol):
    """The fields of a Kafka record that the engine reads (aiokafka's ConsumerRecord has them)."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Epoch ms; set by the producer (type 0) or by the broker (type 1)."""

    @property
    def timestamp_type(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
