"""Keeps the batches of a shard contiguous: no record is folded twice, and none is left out."""

import logging

from faust.types import TP

from stream.engine.shard import Shard
from stream.kafka.fetch import Fetched
from stream.worker.log import Log
from stream.worker.status import OwnerCounts

_log = logging.getLogger(__name__)


class ContiguityGuard:
    """Admits a batch only where its shard stands.

    After a rewind Faust still delivers what it had buffered. Without the guard it would be folded.
    """

    def __init__(self, shard: Shard, log: Log, counts: OwnerCounts) -> None:
        self._shard = shard
        self._log = log
        self._counts = counts
        #: Topic → offset last sought back to. A gap that is still there afterwards is real.
        self._sought: dict[str, int] = {}

    def align(self, topic: str, batch: Fetched) -> Fetched | None:
        """Return the batch from the expected offset on; None if there is a gap before it."""
        expected = self._shard.topics[topic].expected
        if batch.start > expected:
            return None
        self._sought.pop(topic, None)
        if batch.start == expected:
            return batch
        kept = [record for record in batch.records if record.offset >= expected]
        return Fetched(min(expected, batch.end), batch.end, kept)

    async def close_gap(self, topic: str) -> None:
        """Seek back to the start of a gap; skip a gap that retention has deleted from the log."""
        state = self._shard.topics[topic]
        tp = TP(topic, self._shard.partition)
        if self._sought.get(topic) == state.expected:
            first, _ = await self._log.bounds({tp})
            if first[tp] > state.expected:
                self._skip_deleted(topic, first[tp])
        self._sought[topic] = state.expected
        self._counts.rewinds += 1
        await self._log.rewind({tp: state.expected})

    def _skip_deleted(self, topic: str, first: int) -> None:
        state = self._shard.topics[topic]
        lost = max(first - max(state.next, state.expected), 0)
        self._counts.retention_lost += lost
        _log.error(
            "%s[%d]: retention deleted %d records before they were counted; raise retention.ms or "
            "add workers",
            topic, self._shard.partition, lost,
        )  # fmt: skip
        self._shard.skip(topic, first)
