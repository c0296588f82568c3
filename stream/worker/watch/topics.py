"""Watches the topics of a loaded shard: idle ones may close windows, stalled ones are read again."""

import contextlib
import logging
import time
from collections.abc import Collection

from faust.types import TP

from stream.engine.shard import Shard
from stream.engine.watermark import IdleHold, log_lead
from stream.worker.clock import now_ms
from stream.worker.contiguity import ContiguityGuard
from stream.worker.errors import UNREACHABLE
from stream.worker.log import Log

_log = logging.getLogger(__name__)
#: A topic that stands still for this long behind the end of its log is sought again. For a worker
#: that is only slow, a needless seek costs one more fetch of records that the shard then drops.
STALLED_SECONDS = 30.0
#: A broker that has not answered for this long is silent, and the topic not stalled.
_ANSWERS_MS = 10_000


class IdleWatch:
    """Marks a topic as drained once it has been at the end of its log for `idle_ms`."""

    def __init__(self, shard: Shard, log: Log, idle_ms: int, hold: IdleHold) -> None:
        self._shard = shard
        self._log = log
        self._idle_ms = idle_ms
        self._hold = hold
        #: Topic → when it was first seen at the end of its log, in epoch ms.
        self._drained_since: dict[str, int] = {}

    def note(self) -> None:
        """Compare each topic with the end of its log."""
        shard = self._shard
        self._hold.note(log_lead(shard.topics), now_ms())
        for topic, state in shard.topics.items():
            end, seen_at = self._log.read_to(TP(topic, shard.partition))
            if end is None or seen_at is None or state.expected < max(end, state.next):
                self._drained_since.pop(topic, None)
                shard.drained(topic, 0)
                continue
            since = self._drained_since.setdefault(topic, seen_at)
            # The broker's last answer counts, not the present: a silent broker may hold a backlog.
            drained_at = seen_at if seen_at - since >= self._idle_ms else 0
            shard.drained(topic, drained_at, self._hold.followed(drained_at))


class StallWatch:
    """Finds topics that stand still although their log goes on.

    The next batch of a topic would show the gap. Without a next batch, only time can.
    """

    def __init__(self, shard: Shard, log: Log, guard: ContiguityGuard) -> None:
        self._shard = shard
        self._log = log
        self._guard = guard
        #: Topic → expected offset, and the monotonic seconds since when it has been that.
        self._waiting: dict[str, tuple[int, float]] = {}

    async def look(self, halted: Collection[str]) -> None:
        """Seek topics that have stalled; `halted` ones stand still on purpose."""
        now = time.monotonic()
        for topic, state in self._shard.topics.items():
            end, seen_at = self._log.read_to(TP(topic, self._shard.partition))
            is_here = end is None or seen_at is None or state.expected >= end
            if is_here or topic in halted or now_ms() - (seen_at or 0) > _ANSWERS_MS:
                self._waiting.pop(topic, None)
                continue
            offset, since = self._waiting.get(topic, (-1, now))
            if offset != state.expected:
                self._waiting[topic] = state.expected, now
            elif now - since >= STALLED_SECONDS:
                self._waiting[topic] = state.expected, now
                await self._seek(topic, state.expected, now - since)

    async def _seek(self, topic: str, offset: int, seconds: float) -> None:
        _log.warning(
            "%s[%d]: no batch for %.0f s after offset %d, though the log goes on; reading again "
            "from there",
            topic, self._shard.partition, seconds, offset,
        )  # fmt: skip
        with contextlib.suppress(*UNREACHABLE):
            # A log that retention has emptied has no batch that would show the gap.
            await self._guard.close_gap(topic)
