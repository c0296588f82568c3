"""Knows which shards are still being rebuilt, so that alerts can wait for complete numbers."""

from faust.types import TP

from stream.store.shards import Claim
from stream.worker.assigned_shard import AssignedShard
from stream.worker.log import Log


class RebuildWatch:
    """Watches shards that are loaded, recall event ids, or count their log from the beginning.

    A shard that counts from the beginning is rebuilt once it has passed the end of the log as it was
    at first sight. Under steady traffic it would never be seen without any lag.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        #: Partition → the claim, and the ends of its topics at first sight.
        self._goals: dict[int, tuple[Claim, dict[str, int]]] = {}

    def is_rebuilding(self, assigned: AssignedShard) -> bool:
        """Return whether the numbers of a shard are incomplete."""
        shard, claim = assigned.shard, assigned.claim
        if shard is None or claim is None:
            return True
        if any(state.expected < state.next for state in shard.topics.values()):
            return True
        if not claim.is_new:
            return False
        known = self._goals.get(assigned.partition)
        if known is None or known[0] is not claim:
            ends = {t: self._log.read_to(TP(t, assigned.partition))[0] for t in shard.topics}
            seen = {topic: end for topic, end in ends.items() if end is not None}
            if len(seen) < len(ends):
                return True
            known = self._goals[assigned.partition] = (claim, seen)
        return any(shard.topics[topic].next < end for topic, end in known[1].items())
