"""Loads a shard from its last checkpoint, or makes a new one that begins where the log does."""

from collections.abc import Mapping

from faust.types import TP

from stream.counters.measures import Grain
from stream.engine.checkpoint import restore
from stream.engine.rules import Rules
from stream.engine.shard import Shard
from stream.publish.log_identity import topic_replaced
from stream.settings.application import Settings
from stream.store.shards import Claim, OtherLogError, Store
from stream.worker.clock import now_ms
from stream.worker.log import Bounds


class Loader:
    """Claims and loads the shards of one app."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        grains: dict[str, tuple[Grain, ...]],
        store: Store,
        log: Bounds,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._grains = grains
        self._store = store
        self._log = log

    async def load(self, partition: int) -> tuple[Claim, Shard]:
        """Become the owner of a shard and read it.

        Raises ClaimRefusedError if the stored state does not fit this worker or the log. Raises the
        errors of Redis and Kafka as they are.
        """
        claim = await self._store.claim(partition)
        topics = self._settings.topics.inputs
        limits = self._settings.limits
        shard = Shard(
            partition, topics, self._rules, self._grains, limits.people_cached, limits.people_packed
        )
        first, end = await self._log.bounds({TP(topic, partition) for topic in topics})
        if not claim.is_new:
            loaded = await self._store.load(partition)
            restore(shard, claim.sequence, claim.state, loaded.names, loaded.buckets, loaded.opened)
        # By the clock: checkpoints that Redis has lost may have been published, and their dead
        # letters sent. Their sequences must not come again and stand for something else.
        shard.sequence = max(shard.sequence, now_ms())
        _fit(shard, first, end)
        if claim.is_new:
            for topic, state in shard.topics.items():
                state.goal = end.get(TP(topic, partition), 0)
        return claim, shard


def _fit(shard: Shard, first: Mapping[TP, int], end: Mapping[TP, int]) -> None:
    """Begin new topics where their log begins. Raises OtherLogError if a log is too short."""
    for topic, state in shard.topics.items():
        tp = TP(topic, shard.partition)
        if state.next == state.start == 0:
            state.start = state.next = state.expected = first.get(tp, 0)
            state.seen.begin(state.next)
        if state.next > end.get(tp, 0):
            found = (
                f"partition {tp.partition} ends at {end.get(tp, 0)}, and {state.next} is counted"
            )
            raise OtherLogError(topic_replaced(topic, found))
