"""Decides how far each source partition may be read, so that none runs ahead of the others.

An input partition mixes the records of all source partitions. A source partition that is read days
ahead of another would make the records of the other one late.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

#: Time by which a partition may be ahead of the slowest one.
AHEAD_MS: Final = 300_000
#: Older records than this are a backlog.
BACKLOG_MS: Final = 7_200_000
#: A partition that could be read, and was not for this long, is stuck.
PATIENCE_MS: Final = 60_000
NO_LIMIT: Final = 1 << 62

Place = TypeVar("Place", bound=Hashable)


@dataclass(slots=True)
class Head:
    """Position and time that reading a source partition has come to."""

    #: Next offset.
    position: int
    #: Kafka's time of the next record, in epoch ms; None if it is unknown.
    time_ms: int | None
    #: Whether there are records that were not read.
    is_behind: bool
    #: Epoch ms of the last change, or of the last time that it had to wait for others.
    moved_ms: int


class Alignment(Generic[Place]):
    """The heads of all source partitions, also of those that other processes read."""

    def __init__(
        self,
        ahead_ms: int = AHEAD_MS,
        backlog_ahead_ms: int = AHEAD_MS,
        stuck_ahead_ms: int = NO_LIMIT,
    ) -> None:
        """Say how far others may be ahead of the slowest one: usually, in a backlog, and if it is stuck.

        A sparse backlog read in small steps would take hours: each step is a transaction.
        """
        self._ahead_ms = ahead_ms
        self._backlog_ahead_ms = backlog_ahead_ms
        self._stuck_ahead_ms = stuck_ahead_ms
        self.heads: dict[Place, Head] = {}

    def note(
        self, place: Place, position: int, time_ms: int | None, *, is_behind: bool, now_ms: int
    ) -> None:
        """Note the head of a partition."""
        head = self.heads.get(place)
        if head is None:
            self.heads[place] = Head(position, time_ms, is_behind, now_ms)
        elif (head.position, head.time_ms, head.is_behind) != (position, time_ms, is_behind):
            head.position, head.time_ms, head.is_behind = position, time_ms, is_behind
            head.moved_ms = now_ms

    def keep(self, places: set[Place]) -> None:
        """Forget all partitions but these."""
        for place in self.heads.keys() - places:
            del self.heads[place]

    def limit(self, place: Place, now_ms: int) -> int:
        """Return the newest Kafka time up to which a partition may be read now."""
        others = (
            self._allowed(head, now_ms)
            for other, head in self.heads.items()
            if head.is_behind and other != place
        )
        return min(others, default=NO_LIMIT)

    def look(self, now_ms: int) -> None:
        """Note which partitions wait for others: those are not stuck."""
        lowest = sorted(
            (self._allowed(head, now_ms), index)
            for index, head in enumerate(self.heads.values())
            if head.is_behind
        )[:2]
        for index, head in enumerate(self.heads.values()):
            others = [allowed for allowed, one in lowest if one != index]
            if others and head.time_ms is not None and head.time_ms > min(others):
                head.moved_ms = now_ms

    def stuck(self, now_ms: int) -> list[Place]:
        """Return the partitions that could be read, and were not for a minute."""
        return [
            place
            for place, head in self.heads.items()
            if head.is_behind and now_ms - head.moved_ms > PATIENCE_MS
        ]

    def _allowed(self, head: Head, now_ms: int) -> int:
        """Return the time up to which this head lets others be read."""
        is_stuck = now_ms - head.moved_ms > PATIENCE_MS
        if head.time_ms is None:
            # Its owner says the time before it reads, so this lasts for moments.
            return NO_LIMIT if is_stuck else -1
        if is_stuck:
            return head.time_ms + self._stuck_ahead_ms
        in_backlog = min(head.time_ms + self._backlog_ahead_ms, now_ms - BACKLOG_MS)
        return max(head.time_ms + self._ahead_ms, in_backlog)
