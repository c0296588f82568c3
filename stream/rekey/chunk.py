"""Messages of one transaction: a run of foreign records, mapped."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from stream.rekey.counts import SourceCounts

#: Header of each message: topic/partition/offset/index of the foreign record and of its outcome.
ORIGIN: Final = "engage-origin"
#: Messages and bytes after which a chunk ends: they bound the memory and the time of a transaction.
_MESSAGES_MAX: Final = 4_000
_BYTES_MAX: Final = 4 * 1024 * 1024


class Foreign(Protocol):
    """The fields of a Kafka record that are mapped (aiokafka's record has them)."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


#: Record for one of our topics: Kafka's time in epoch ms (None: that of the writing), key, value, headers.
#: A plain tuple: one with names costs 0.3 µs.
Message = tuple[int | None, bytes | None, bytes, list[tuple[str, bytes]]]


@dataclass(slots=True)
class Chunk:
    """Messages of a run of records, and what became of these."""

    #: Newest Kafka time of the records and of those before them, in epoch ms.
    reached_ms: int
    #: Records taken.
    taken: int = 0
    #: (topic, partition) → messages in the order of their records.
    messages: dict[tuple[str, int], list[Message]] = field(default_factory=dict)
    #: Name of the source → its counts.
    counts: dict[str, SourceCounts] = field(default_factory=dict)
    size: int = 0
    count: int = 0

    def add(self, topic: str, partition: int, message: Message) -> None:
        """Add a message."""
        group = self.messages.get((topic, partition))
        if group is None:
            group = self.messages[topic, partition] = []
        group.append(message)
        self.count += 1
        self.size += len(message[2])

    @property
    def is_full(self) -> bool:
        """Whether the chunk should end."""
        return self.count >= _MESSAGES_MAX or self.size >= _BYTES_MAX
