"""How far one shard has read each topic, what it found there, and the watermark that follows."""

from collections import deque
from dataclasses import dataclass, field

from stream.engine.duplicates import SeenIds

#: What can happen to a record. Together they account for every offset a shard has passed.
OUTCOMES = ("applied", "rejected", "duplicate", "late", "skipped")
#: What a producer has held back for longer it has given up (`delivery.timeout.ms` of Kafka's own).
FOLLOW_MS = 120_000
_NOTE_MS = 10_000
_WHATEVER = 1 << 62


@dataclass(slots=True)
class TopicState:
    """One topic's partition in a shard. Times are epoch ms."""

    topic: str
    seen: SeenIds
    #: Offset at which counting began, and the next one to count.
    start: int = 0
    next: int = 0
    #: Offset of the next record to look at: below `next` while ids are being recalled.
    expected: int = 0
    #: Log clock: the highest accepted event time, 0 before the first.
    clock: int = 0
    #: Log clock as the recall of ids sees it.
    recall_clock: int = 0
    #: Wall time at which the partition was last known to be read to its end; 0 while there is a backlog.
    drained_at: int = 0
    #: Log clock of the other topics that it follows while it is read to its end.
    held_to_ms: int = _WHATEVER
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    reasons: dict[str, int] = field(default_factory=dict)

    def unaccounted(self) -> int:
        """Offsets passed less outcomes counted: 0 by the conservation law."""
        return self.next - self.start - sum(self.counts.values())

    def watermark(self, lateness_ms: int) -> int | None:
        """Time before which nothing more is expected; None while nothing is known.

        The wall clock speaks only while the partition is read to its end, so that a backlog after an
        outage is never late, and a quiet topic still closes its windows.
        """
        latest = max(self.clock, self.drained_at)
        return latest - lateness_ms if latest else None


def shard_watermark(topics: dict[str, TopicState], lateness_ms: int) -> int | None:
    """The minimum over the topics; None when one of them is still unknown."""
    marks = [topic.watermark(lateness_ms) for topic in topics.values()]
    known = [mark for mark in marks if mark is not None]
    return min(known) if known and len(known) == len(marks) else None


def log_lead(topics: dict[str, TopicState]) -> int:
    """The highest log clock."""
    return max((topic.clock for topic in topics.values()), default=0)


def log_floor(topics: dict[str, TopicState], idle_reach_ms: int, *, at_once: bool = False) -> int:
    """The lowest log clock, below which no topic's next event is expected; 0 while one is unknown.

    A drained topic follows the others at a distance of `idle_reach_ms`: state is not kept for ever
    because one topic has gone quiet. It follows what it is known to keep up with, or `at_once`.
    """
    ahead = log_lead(topics)
    floors = [
        max(topic.clock, (ahead if at_once else min(ahead, topic.held_to_ms)) - idle_reach_ms)
        if topic.drained_at
        else topic.clock
        for topic in topics.values()
    ]
    return max(min(floors, default=0), 0)


class IdleHold:
    """How far the topics of a shard had got a while ago, and so what a quiet one keeps up with.

    A topic at its end proves nothing about what the others have only just brought: when a broker
    comes back, what producers and consumers have waiting comes a topic at a time, days in a second.
    """

    def __init__(self) -> None:
        #: (wall time, lead), the oldest first.
        self._noted: deque[tuple[int, int]] = deque()

    def note(self, lead_ms: int, now_ms: int) -> None:
        """The highest log clock as it is now."""
        noted = self._noted
        if not noted or now_ms - noted[-1][0] >= _NOTE_MS:
            noted.append((now_ms, lead_ms))
        while len(noted) > 1 and now_ms - noted[1][0] >= FOLLOW_MS:
            noted.popleft()

    def followed(self, drained_at: int) -> int:
        """What the others had read FOLLOW_MS before a topic was seen to be at its end; 0: unknown."""
        for noted_at, lead_ms in reversed(self._noted):
            if drained_at - noted_at >= FOLLOW_MS:
                return lead_ms
        return 0
