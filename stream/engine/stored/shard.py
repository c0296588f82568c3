"""The part of a shard that every checkpoint writes whole, as msgpack arrays.

Fields are stored by position: new ones go to the end and have a default.
"""

import msgspec

from stream.churn.risk import StoredRisk


class StoredTopic(msgspec.Struct, array_like=True):
    """The part of a TopicState that a checkpoint stores."""

    start: int
    next: int
    clock: int
    recall_offset: int
    recall_clock: int
    counts: dict[str, int]
    reasons: dict[str, int]
    goal: int = 0


class StoredShard(msgspec.Struct, array_like=True):
    """The part of a shard that every checkpoint writes whole."""

    topics: dict[str, StoredTopic]
    watermark: int | None
    reopened: int
    evictions: int
    dedupe_capped: int
    open_sessions: int
    floor_ms: int
    churn_risk: StoredRisk | None = None
    is_recount: bool = False
    closed_to_ms: int = 0

    @property
    def is_behind(self) -> bool:
        """Whether the log is not read up to where it was when counting began, or began again."""
        return any(topic.next < topic.goal for topic in self.topics.values())
