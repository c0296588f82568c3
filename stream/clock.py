"""How far one shard has read each topic, what it found there, and the watermark that follows."""

from dataclasses import dataclass, field

from stream.dedupe import SeenIds

#: What can happen to a record. Together they account for every offset a shard has passed.
OUTCOMES = ("applied", "rejected", "duplicate", "late", "skipped")


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


def log_floor(topics: dict[str, TopicState], idle_reach_ms: int) -> int:
    """The lowest log clock, below which no topic's next event is expected; 0 while one is unknown.

    A drained topic follows the others at a distance of `idle_reach_ms`: state is not kept for ever
    because one topic has gone quiet.
    """
    ahead = max((topic.clock for topic in topics.values()), default=0)
    floors = [
        max(topic.clock, ahead - idle_reach_ms) if topic.drained_at else topic.clock
        for topic in topics.values()
    ]
    return max(min(floors, default=0), 0)
