"""Sums up what the last checkpoints of all shards say about times and records."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from stream.engine.stored.shard import StoredShard, StoredTopic
from stream.publish.snapshot import ShardView


class StoredShards:
    """The stored shards of all workers at one moment; times are epoch ms."""

    def __init__(
        self, by_partition: Mapping[int, StoredShard], partitions: int, lateness_ms: int
    ) -> None:
        self.by_partition = by_partition
        self._partitions = partitions
        self._lateness_ms = lateness_ms

    @cached_property
    def _topics(self) -> list[StoredTopic]:
        return [topic for shard in self.by_partition.values() for topic in shard.topics.values()]

    @property
    def log_clock_ms(self) -> int:
        """The newest event time; 0 before the first event."""
        return max((topic.clock for topic in self._topics), default=0)

    @property
    def newest_ms(self) -> int:
        """The present as the log has it; in silence the wall clock moves it, by the watermarks."""
        marks = (shard.watermark for shard in self.by_partition.values() if shard.watermark)
        return max(self.log_clock_ms, *(mark + self._lateness_ms for mark in marks), 0)

    @property
    def floor_ms(self) -> int:
        """A lower bound of the event times that any shard still accepts."""
        return min((shard.floor_ms for shard in self.by_partition.values()), default=0)

    @property
    def watermark_ms(self) -> int | None:
        """The lowest watermark; None until every shard has one."""
        marks = [shard.watermark for shard in self.by_partition.values()]
        known = [mark for mark in marks if mark is not None]
        return min(known) if len(known) == self._partitions else None

    @property
    def recounting(self) -> set[int]:
        """Partitions whose state was lost, and whose log is not read to where it was."""
        return {p for p, shard in self.by_partition.items() if shard.is_recount and shard.is_behind}

    @property
    def is_complete(self) -> bool:
        """Whether no shard is missing from sums that were published before."""
        known = self.by_partition.values()
        return len(known) == self._partitions or not any(shard.is_recount for shard in known)

    @property
    def outcomes(self) -> dict[str, int]:
        """Records passed, by outcome."""
        return _sum(topic.counts for topic in self._topics)

    @property
    def reasons(self) -> dict[str, int]:
        """Records not counted, by reason."""
        return _sum(topic.reasons for topic in self._topics)

    @property
    def unaccounted(self) -> int:
        """Offsets passed less the outcomes counted; anything but 0 is a defect."""
        passed = sum(topic.next - topic.start for topic in self._topics)
        return passed - sum(self.outcomes.values())

    @property
    def views(self) -> list[ShardView]:
        """The shards as the snapshot shows them."""
        return [
            ShardView(
                partition,
                shard.watermark,
                shard.open_sessions,
                shard.reopened,
                shard.evictions,
                shard.dedupe_capped,
            )
            for partition, shard in sorted(self.by_partition.items())
        ]


class ReachedOffsets:
    """The highest offsets that stored checkpoints had. Less means that Redis has lost some.

    Between the loss and the next checkpoint, only this tells: the owner does not know of it yet.
    """

    def __init__(self) -> None:
        self._generation = ""
        self._reached: dict[tuple[int, str], int] = {}

    def lacking(self, generation: str, shards: Mapping[int, StoredShard]) -> set[int]:
        """Return the partitions that have less than before, and note how far the others have come.

        Another generation of the state has offsets of its own.
        """
        if generation != self._generation:
            self._generation, self._reached = generation, {}
        for partition, shard in shards.items():
            for name, topic in shard.topics.items():
                key = partition, name
                self._reached[key] = max(topic.next, self._reached.get(key, 0))
        return {
            partition
            for (partition, name), offset in self._reached.items()
            if _next(shards.get(partition), name) < offset
        }


def _next(shard: StoredShard | None, topic: str) -> int:
    found = shard.topics.get(topic) if shard else None
    return found.next if found else 0


def _sum(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for name, count in part.items():
            total[name] = total.get(name, 0) + count
    return total
