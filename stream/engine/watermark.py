"""Topics of a shard: how far each has been read, its records by outcome, and the watermark."""

from collections import deque
from dataclasses import dataclass, field

from stream.engine.duplicates import SeenIds
from stream.engine.stored.shard import StoredTopic

#: Outcomes of a record. Together they account for every offset a shard has passed.
OUTCOMES = ("applied", "rejected", "duplicate", "late", "skipped")
#: Kafka's producers give up what they hold back for longer (`delivery.timeout.ms`).
FOLLOW_MS = 120_000
_NOTE_MS = 10_000
_NO_LIMIT = 1 << 62


@dataclass(slots=True)
class TopicState:
    """One topic's partition in a shard. Times are epoch ms."""

    topic: str
    seen: SeenIds
    #: Offset at which counting began, and the next one to count.
    start: int = 0
    next: int = 0
    #: Offset of the next record to read: below `next` while ids are being recalled.
    expected: int = 0
    #: Log clock: the highest accepted event time, 0 before the first.
    clock: int = 0
    #: Log clock of the recall of ids.
    recall_clock: int = 0
    #: Wall time at which the partition was last known to be read to its end; 0 while it has a backlog.
    drained_at: int = 0
    #: Log clock of the other topics that this one keeps up with while it is read to its end.
    held_to_ms: int = _NO_LIMIT
    #: Offset up to which the log had been read, or had come, when counting began or began again.
    goal: int = 0
    #: Records by outcome.
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    #: Rejected records by reason.
    reasons: dict[str, int] = field(default_factory=dict)

    def watermark(self, lateness_ms: int) -> int | None:
        """Return the time before which no event is expected; None while nothing is known.

        The wall clock counts only while the partition is read to its end. So a backlog after an
        outage is never late, and a quiet topic still closes its windows.
        """
        latest = max(self.clock, self.drained_at)
        return latest - lateness_ms if latest else None

    def stored(self) -> StoredTopic:
        """Return the part that a checkpoint stores."""
        seen = self.seen
        return StoredTopic(
            self.start,
            self.next,
            self.clock,
            seen.recall_offset,
            seen.recall_clock,
            self.counts,
            self.reasons,
            self.goal if self.next < self.goal else 0,
        )

    @staticmethod
    def restored(topic: str, stored: StoredTopic, window_ms: int, ids_max: int) -> "TopicState":
        """Return the topic that was stored; reading on from `expected` rebuilds its seen ids."""
        return TopicState(
            topic=topic,
            seen=SeenIds(window_ms, ids_max, stored.recall_offset, stored.recall_clock),
            start=stored.start,
            next=stored.next,
            expected=min(stored.recall_offset, stored.next),
            clock=stored.clock,
            recall_clock=stored.recall_clock,
            counts=stored.counts,
            reasons=stored.reasons,
            goal=stored.goal,
        )


def shard_watermark(topics: dict[str, TopicState], lateness_ms: int) -> int | None:
    """Return the minimum over the topics; None while one of them is unknown."""
    marks = [topic.watermark(lateness_ms) for topic in topics.values()]
    known = [mark for mark in marks if mark is not None]
    return min(known) if known and len(known) == len(marks) else None


def log_lead(topics: dict[str, TopicState]) -> int:
    """Return the highest log clock."""
    return max((topic.clock for topic in topics.values()), default=0)


def log_floor(topics: dict[str, TopicState], idle_reach_ms: int, *, at_once: bool = False) -> int:
    """Return the lowest log clock, below which no topic's next event is expected; 0 while one is unknown.

    A drained topic follows the others `idle_reach_ms` behind them, so that one quiet topic does not
    hold state back for ever. It follows them up to `held_to_ms`, or with `at_once` without a limit.
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
    """Keeps a quiet topic's floor from running ahead: remembers how far the topics had got a while ago.

    A topic at its end proves nothing about what the others have only just brought. When a broker
    comes back, waiting records arrive one topic at a time, days of them in a second.
    """

    def __init__(self) -> None:
        #: (wall time, highest log clock), the oldest first.
        self._noted: deque[tuple[int, int]] = deque()

    def note(self, lead_ms: int, now_ms: int) -> None:
        """Note the highest log clock as it is now."""
        noted = self._noted
        if not noted or now_ms - noted[-1][0] >= _NOTE_MS:
            noted.append((now_ms, lead_ms))
        while len(noted) > 1 and now_ms - noted[1][0] >= FOLLOW_MS:
            noted.popleft()

    def followed(self, drained_at: int) -> int:
        """Return the log clock that the others had reached FOLLOW_MS before `drained_at`; 0: unknown."""
        for noted_at, lead_ms in reversed(self._noted):
            if drained_at - noted_at >= FOLLOW_MS:
                return lead_ms
        return 0
