"""Tells a shard which of its topics are read to their end, so that silence can close windows."""

from faust.types import TP

from stream.engine.shard import Shard
from stream.engine.watermark import IdleHold, log_lead
from stream.worker.clock import now_ms
from stream.worker.log import Log


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
