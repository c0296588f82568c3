"""Makes a shard what its last stored cut says, or a new one that begins where the log does."""

import time
from collections.abc import Mapping
from typing import Protocol

from faust.types import TP

from stream.counters.measures import Grain
from stream.engine.checkpoint import restore
from stream.engine.rules import Rules
from stream.engine.shard import Shard
from stream.settings.application import Settings
from stream.store.shards import Claim, ClaimRefusedError, Store


class Bounds(Protocol):
    """What loading asks of Kafka."""

    async def bounds(self, tps: set[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        """First and next offsets of partitions."""


class Loader:
    """Claims and loads shards of one application."""

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

        Raises ClaimRefusedError when the stored state does not fit this worker or the log, and the
        errors of Redis and Kafka as they are.
        """
        claim = await self._store.claim(partition)
        topics = self._settings.topics.inputs
        cached = self._settings.limits.people_cached
        shard = Shard(partition, topics, self._rules, self._grains, cached)
        first, end = await self._log.bounds({TP(topic, partition) for topic in topics})
        if not claim.is_new:
            loaded = await self._store.load(partition)
            restore(shard, claim.sequence, claim.state, loaded.names, loaded.buckets, loaded.opened)
        # By the time: what Redis has lost of the cuts may have been published, and its ledger
        # entries sent. No number of theirs may come again and stand for something else.
        shard.sequence = max(shard.sequence, time.time_ns() // 1_000_000)
        _fit(shard, first, end)
        return claim, shard


def _fit(shard: Shard, first: Mapping[TP, int], end: Mapping[TP, int]) -> None:
    """Begin new topics where their log begins. Raises ClaimRefusedError for a log that is too short."""
    for topic, state in shard.topics.items():
        tp = TP(topic, shard.partition)
        if state.next == state.start == 0:
            state.start = state.next = state.expected = first.get(tp, 0)
            state.seen.begin(state.next)
        if state.next > end.get(tp, 0):
            raise ClaimRefusedError(
                f"topic {topic!r} ends at offset {end.get(tp, 0)} in partition {tp.partition}, but "
                f"{state.next} have been counted: it was deleted and created again, or cut short. "
                "Use another `app` name to count anew."
            )
