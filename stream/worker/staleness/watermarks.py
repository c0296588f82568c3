"""Finds the topics whose partition holds the watermark back: no window becomes final meanwhile."""

import time
from collections.abc import Callable

from stream.engine.watermark import TopicState
from stream.publish.staleness import StaleReason
from stream.worker.assigned_shard import LoadedShard
from stream.worker.clock import now_ms
from stream.worker.owner import ShardOwner
from stream.worker.staleness.rebuilding import is_recalling

#: A topic that stalls is sought again after 30 s, so this is beyond help.
STUCK_SECONDS = 45.0
#: Places that a text names.
_NAMED = 3
#: (topic, partition) → its watermark, and the monotonic seconds since when it has been that.
Still = dict[tuple[str, int], tuple[int | None, float]]


class WatermarkWatch:
    """Compares the watermark of each topic's partition with the wall clock.

    A partition that is read to its end follows the clock, and a backlog follows its events. One that
    stands still while the clock goes on is stuck.
    """

    def __init__(
        self, owner: ShardOwner, lateness_ms: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._owner = owner
        self._lateness_ms = lateness_ms
        self._clock = clock
        self._still: Still = {}

    def look(self) -> None:
        """Hold or release the reason that the watermark is stuck."""
        if StaleReason.BROKER_AWAY in self._owner.reasons:
            self._still = {}
            return
        halted: list[str] = []
        still: list[str] = []
        seen: Still = {}
        for partition, assigned in sorted(self._owner.assigned_shards.items()):
            loaded = assigned.loaded
            if loaded is None:
                continue
            for topic, state in loaded.shard.topics.items():
                key = topic, partition
                if topic in loaded.rejections.halted:
                    halted.append(f"{topic}[{partition}]")
                elif self._is_still(key, state, loaded, seen):
                    still.append(f"{topic}[{partition}]")
        self._still = seen
        self._owner.reasons.note(StaleReason.WATERMARK_STUCK, _text(halted, still))

    def _is_still(
        self,
        key: tuple[str, int],
        state: TopicState,
        loaded: LoadedShard,
        seen: Still,
    ) -> bool:
        now, mark = self._clock(), state.watermark(self._lateness_ms)
        known = self._still.get(key)
        is_same = known is not None and known[0] == mark and not is_recalling(loaded.shard)
        since = known[1] if is_same and known else now
        seen[key] = mark, since
        is_behind = mark is None or now_ms() - mark > self._lateness_ms + STUCK_SECONDS * 1000
        return is_behind and now - since > STUCK_SECONDS


def _text(halted: list[str], still: list[str]) -> str:
    if halted:
        # The agent of a halted topic waits, so its other partitions stand still as well.
        return (
            f"{_listed(halted)}: nearly all records were refused, so reading has stopped; read the "
            "dead letters, fix the producer or raise ledger.max_ratio, then restart"
        )
    if still:
        return (
            f"{_listed(still)}: the watermark has stood still for over {STUCK_SECONDS:g} s; check "
            "that the partition has a leader, the clock of its producers, and for a replay of old events"
        )
    return ""


def _listed(places: list[str]) -> str:
    more = len(places) - _NAMED
    return ", ".join(places[:_NAMED]) + (f" and {more} more" if more > 0 else "")
