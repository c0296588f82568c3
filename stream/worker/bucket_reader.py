"""Follows the checkpoints of all shards, and keeps the merged counts equal to what is stored."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from itertools import islice

from stream.counters.measures import Grain
from stream.counters.table import BucketKey
from stream.publish.merged_counts import MergedCounts
from stream.store.published import PublishedState
from stream.worker.process.event_loop import in_slices

_AT_ONCE = 32


class BucketReader:
    """Reads the buckets that changed, and collects them until records are made of them."""

    def __init__(self, state: PublishedState, merged: MergedCounts) -> None:
        self._state = state
        self._merged = merged
        #: Partition → sequence of the newest checkpoint whose buckets are merged.
        self._sequences: dict[int, int] = {}
        #: Buckets of days to come; they are merged when their day has come.
        self._postponed: set[BucketKey] = set()
        self._changed: set[BucketKey] = set()

    async def read(self, partitions: Collection[int], last_day: int, oldest_day: int) -> None:
        """Merge every bucket that was stored since the last call, up to `last_day`.

        Shards drop days before `oldest_day` or earlier, and add their levels to the oldest day kept.
        """
        changed = set(self._postponed)
        sequences: dict[int, int] = {}
        for partition in partitions:
            since = self._sequences.get(partition, -1)
            sequences[partition], buckets = await self._state.changed(partition, since)
            changed.update(buckets)
        self._postponed = {b for b in changed if b[0] is Grain.DAY and b[1] > last_day}
        wanted = changed - self._postponed
        await self._merge(partitions, wanted)
        self._changed |= wanted
        await self._drop(partitions, [b[1] for b in changed if b[0] is Grain.DAY], oldest_day)
        self._sequences.update(sequences)

    async def _merge(self, partitions: Collection[int], buckets: Iterable[BucketKey]) -> None:
        """Merge buckets, some at once: while batches are folded, each answer comes late."""
        left = iter(buckets)
        while some := list(islice(left, _AT_ONCE)):
            parts = await asyncio.gather(*(self._state.buckets(p, some) for p in partitions))
            merge = self._merged.replace
            await in_slices(merge(bucket, [part[bucket] for part in parts]) for bucket in some)

    async def _drop(
        self, partitions: Collection[int], changed: Iterable[int], oldest_day: int
    ) -> None:
        """Merge again the days before a changed one as old as the oldest kept: they may be dropped.

        No record is due for them.
        """
        first_kept = max((day for day in changed if day <= oldest_day), default=0)
        days = self._merged.days_before(first_kept)
        await self._merge(partitions, [(Grain.DAY, day) for day in days])

    def keep(self, is_wanted: Callable[[BucketKey], bool]) -> None:
        """Leave out collected buckets of which no record is due."""
        self._changed = set(filter(is_wanted, self._changed))

    def take_changed(self) -> tuple[set[BucketKey], dict[int, int]]:
        """Hand over the collected buckets, and the sequence up to which each shard is merged."""
        changed, self._changed = self._changed, set()
        return changed, dict(self._sequences)
