"""Reads columns of counts from the stored buckets of all shards, as of one checkpoint of each."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from stream.counters.table import BucketKey
from stream.publish.merged_counts import Rows
from stream.publish.query import Column, QueryRefusedError
from stream.store.column_cache import ColumnCache
from stream.store.connection import RedisClient
from stream.store.keys import parse_bucket
from stream.store.scripts import READ_COUNTS
from stream.store.series_index import Series, SeriesIndex
from stream.store.shards import Store

#: Most counts that one query reads from Redis.
COUNTS_MAX = 1_000_000
#: Counts in one call of the script: Redis does nothing else for some milliseconds.
_COUNTS_AT_ONCE = 10_000
_CACHE_BYTES = 64 * 1024 * 1024
#: Each round rereads what checkpoints have changed during the one before it.
_ROUNDS = 10


class MovingError(Exception):
    """The counts changed faster than they could be read."""


class _Shard(NamedTuple):
    """Known state of one shard: the epoch and sequence of its last checkpoint, and its series."""

    epoch: bytes | None
    sequence: int
    series: SeriesIndex


class StoredCounts:
    """Counts in Redis for queries. What is kept in memory is as of the sequences of `_shards`."""

    def __init__(self, client: RedisClient, store: Store, partitions: int) -> None:
        self._client = client
        self._store = store
        self._partitions = range(partitions)
        self._cache = ColumnCache(_CACHE_BYTES)
        self._shards: dict[int, _Shard] = {}
        #: The stored days of each shard when levels were read last.
        self._days: dict[int, set[BucketKey]] = {}
        self._state_name = ""
        self._lock = asyncio.Lock()

    async def read(
        self,
        columns: frozenset[Column],
        buckets: frozenset[BucketKey],
        levels_until: int | None = None,
    ) -> dict[BucketKey, Rows]:
        """Return the counts of the columns by bucket; with `levels_until` also of all days up to it.

        All counts of a shard are of one checkpoint. Raises MovingError if checkpoints come faster than
        that can be read, and QueryRefusedError for more than COUNTS_MAX.
        """
        async with self._lock:
            try:
                return await self._read(columns, buckets, levels_until)
            finally:
                self._cache.trim()

    async def _read(
        self, columns: frozenset[Column], buckets: frozenset[BucketKey], levels_until: int | None
    ) -> dict[BucketKey, Rows]:
        for _ in range(_ROUNDS):
            await self._renew()
            wanted = buckets | await self._days_until(levels_until)
            missing: dict[frozenset[Column], list[BucketKey]] = {}
            for bucket in wanted:
                if lacking := self._cache.missing(bucket, columns):
                    missing.setdefault(lacking, []).append(bucket)
            self._check_size(missing)
            if await self._fetch(missing):
                return await asyncio.to_thread(self._assemble, columns, wanted)
        raise MovingError("checkpoints change the counts faster than they can be read; try again")

    def _assemble(
        self, columns: frozenset[Column], wanted: Iterable[BucketKey]
    ) -> dict[BucketKey, Rows]:
        return {bucket: self._cache.rows(bucket, columns) for bucket in wanted}

    async def _renew(self) -> None:
        """Drop what has changed since the last query."""
        if self._store.state_name != self._state_name:
            # A backfill has counted everything again.
            self._state_name = self._store.state_name
            self._forget()
        # Before the changed buckets: the next call finds what a checkpoint stores in between.
        heads = await asyncio.gather(*map(self._head, self._partitions))
        for partition, (raw, epoch) in zip(self._partitions, heads, strict=True):
            sequence, known = int(raw or 0), self._shards.get(partition)
            if known is None or known.epoch != epoch or sequence < known.sequence:
                if known is not None:
                    # Claimed again, or restored: ids of series may stand for something else now.
                    self._forget()
                names = self._store.keys(partition).names
                known = _Shard(epoch, -1, SeriesIndex(self._client, names))
            if known.sequence != sequence:
                if known.sequence >= 0:
                    self._cache.drop(await self._store.changed_since(partition, known.sequence))
                await known.series.renew()
            self._shards[partition] = known._replace(sequence=sequence)

    async def _head(self, partition: int) -> tuple[bytes | None, bytes | None]:
        """Return sequence and epoch of a shard's last checkpoint."""
        meta = self._store.keys(partition).meta
        sequence, epoch = await self._client.execute_command("HMGET", meta, "sequence", "epoch")
        return sequence, epoch

    def _forget(self) -> None:
        self._cache.clear()
        self._shards = {}

    async def _days_until(self, last: int | None) -> frozenset[BucketKey]:
        """Return the stored days up to one.

        The oldest day of a shard holds the levels of the days that it has dropped: what is kept of
        those is dropped as well.
        """
        if last is None:
            return frozenset()
        for partition in self._partitions:
            changed = self._store.keys(partition).changed
            names = await self._client.execute_command("ZRANGE", changed, 0, -1)
            days = {parse_bucket(name.decode()) for name in names if name.startswith(b"d")}
            self._cache.drop(self._days.get(partition, set()) - days)
            self._days[partition] = days
        stored = set().union(*self._days.values())
        return frozenset(bucket for bucket in stored if bucket[1] <= last)

    def _check_size(self, missing: Mapping[frozenset[Column], Sequence[BucketKey]]) -> None:
        counts = sum(
            len(buckets) * len(shard.series.of(column))
            for columns, buckets in missing.items()
            for column in columns
            for shard in self._shards.values()
        )
        if counts > COUNTS_MAX:
            raise QueryRefusedError(
                f"the answer would be computed from {counts:,} counts",
                {"counts_max": COUNTS_MAX, "hint": "a shorter range, or one value with `where`"},
            )

    async def _fetch(self, missing: Mapping[frozenset[Column], Sequence[BucketKey]]) -> bool:
        """Read missing columns into the cache; return whether no checkpoint came in between."""
        if not missing:
            return True
        is_still = True
        for columns, buckets in missing.items():
            found: dict[BucketKey, dict[Column, Rows]] = {
                bucket: {column: {} for column in columns} for bucket in buckets
            }
            for partition, shard in list(self._shards.items()):
                answers = await self._read_shard(partition, shard, columns, found)
                is_still &= answers
            for bucket, rows in found.items():
                self._cache.put(bucket, rows)
        return is_still

    async def _read_shard(
        self,
        partition: int,
        shard: _Shard,
        columns: Iterable[Column],
        found: dict[BucketKey, dict[Column, Rows]],
    ) -> bool:
        keys = self._store.keys(partition)
        series = [(column, one) for column in columns for one in shard.series.of(column)]
        if not series:
            return True
        ids = [one[0] for _, one in series]
        at_once = max(_COUNTS_AT_ONCE // len(ids), 1)
        buckets = list(found)
        is_still = True
        for start in range(0, len(buckets), at_once):
            part = buckets[start : start + at_once]
            sequence, epoch, packed = await READ_COUNTS.run(
                self._client, [keys.meta, *map(keys.bucket, part)], *ids
            )
            is_still &= (int(sequence or 0), epoch) == (shard.sequence, shard.epoch)
            await asyncio.to_thread(_add, packed, series, [found[bucket] for bucket in part])
        return is_still


def _add(
    packed: bytes,
    series: Sequence[tuple[Column, Series]],
    found: Sequence[dict[Column, Rows]],
) -> None:
    """Add the counts of one shard to the columns of some buckets."""
    for counts, columns in zip(_decode(packed), found, strict=True):
        for (column, (_, measure, segment)), count in zip(series, counts, strict=True):
            if count:
                row = columns[column].setdefault(segment, {})
                row[measure] = row.get(measure, 0) + int(count)


_decode = msgspec.msgpack.Decoder(list[list[str | bool]]).decode
