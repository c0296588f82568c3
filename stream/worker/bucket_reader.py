"""Follows the checkpoints of all shards, and keeps the merged counts equal to what is stored."""

from collections.abc import Callable, Iterable

from stream.counters.measures import Grain
from stream.counters.table import BucketKey
from stream.publish.merged_counts import MergedCounts
from stream.store.published import PublishedState


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

    async def read(self, partitions: Iterable[int], last_day: int) -> None:
        """Merge every bucket that was stored since the last call, up to `last_day`."""
        changed = set(self._postponed)
        sequences: dict[int, int] = {}
        for partition in partitions:
            since = self._sequences.get(partition, -1)
            sequences[partition], buckets = await self._state.changed(partition, since)
            changed.update(buckets)
        self._postponed = {b for b in changed if b[0] is Grain.DAY and b[1] > last_day}
        for bucket in changed - self._postponed:
            parts = [await self._state.bucket(partition, bucket) for partition in partitions]
            self._merged.replace(bucket, parts)
            self._changed.add(bucket)
        self._sequences.update(sequences)

    def keep(self, is_wanted: Callable[[BucketKey], bool]) -> None:
        """Leave out collected buckets of which no record is due."""
        self._changed = set(filter(is_wanted, self._changed))

    def take_changed(self) -> tuple[set[BucketKey], dict[int, int]]:
        """Hand over the collected buckets, and the sequence up to which each shard is merged."""
        changed, self._changed = self._changed, set()
        return changed, dict(self._sequences)
