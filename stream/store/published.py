"""Reads what all shards have stored; stores the snapshot and the publisher's progress."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from stream.configure.fingerprints import Fingerprint, carried_on
from stream.counters.segments import series_name
from stream.counters.table import BucketKey
from stream.engine.checkpoint import read_stored
from stream.engine.stored.shard import StoredShard
from stream.publish.merged_counts import SeriesKey
from stream.store import keys
from stream.store.connection import RedisClient
from stream.store.scripts import PUBLISH
from stream.store.shards import Store

_NAMES_AT_ONCE = 1_000


class FencedError(Exception):
    """Another worker publishes for this app."""


class Progress(msgspec.Struct, array_like=True):
    """The metric records that Kafka has acknowledged, by the state they were made from."""

    #: The newest revision; it only grows.
    revision: int
    #: Partition → sequence of the checkpoint.
    sequences: dict[int, int]
    watermark_ms: int | None
    newest_ms: int = 0


class PublishedState:
    """Reads the shards of all workers; writes the snapshot, fenced by the epoch of shard 0."""

    def __init__(self, client: RedisClient, store: Store, app: str, partitions: int) -> None:
        self._client = client
        self._store = store
        self._app = app
        self.partitions = partitions
        self._names: dict[int, dict[int, SeriesKey | None]] = {}
        self._epochs: dict[int, bytes | None] = {}
        self._stored_revision = 0

    @property
    def generation(self) -> str:
        """The generation of the state."""
        return self._store.generation

    async def shards(self) -> dict[int, StoredShard]:
        """Return the stored shards by partition, without those that have no checkpoint yet."""
        raw = await asyncio.gather(
            *(
                self._client.execute_command("HGET", self._store.keys(p).meta, "state")
                for p in range(self.partitions)
            )
        )
        return {p: read_stored(state) for p, state in enumerate(raw) if state}

    async def changed(self, partition: int, since: int) -> tuple[int, list[BucketKey]]:
        """Return the sequence of a shard's last checkpoint, and the buckets changed after `since`.

        Return all buckets if the shard was claimed since the last call.
        """
        stored, epoch = await self._client.execute_command(
            "HMGET", self._store.keys(partition).meta, "sequence", "epoch"
        )
        # Read before the buckets: the next call finds what a checkpoint stores in between.
        sequence = int(stored or 0)
        if epoch != self._epochs.get(partition):
            # Claimed again, perhaps after a loss in Redis: sequences and ids of names may stand for
            # something else now.
            self._epochs[partition] = epoch
            self._names.pop(partition, None)
            since = -1
        if sequence == since:
            return sequence, []
        return sequence, await self._store.changed_since(partition, since)

    async def changed_since(self, sequences: Mapping[int, int]) -> set[BucketKey]:
        """Return the buckets that any shard has changed after its sequence in `sequences`."""
        found = await asyncio.gather(
            *(self._store.changed_since(p, sequences.get(p, -1)) for p in range(self.partitions))
        )
        return {bucket for buckets in found for bucket in buckets}

    async def buckets(
        self, partition: int, wanted: Sequence[BucketKey]
    ) -> dict[BucketKey, dict[SeriesKey, int]]:
        """Return the counts of one shard in these buckets, by series."""
        found = await self._store.buckets(partition, wanted)
        names = self._names.setdefault(partition, {})
        series = {series for counts in found.values() for series in counts}
        if unknown := [one for one in series if one not in names]:
            names.update(await self._read_names(partition, unknown))
        return {
            bucket: {name: n for i, n in counts.items() if (name := names[i]) is not None}
            for bucket, counts in found.items()
        }

    async def _read_names(
        self, partition: int, unknown: Sequence[int]
    ) -> dict[int, SeriesKey | None]:
        """Return the names of series, some thousands per call. Raises KeyError for an unknown one."""
        key, names = self._store.keys(partition).names, dict[int, SeriesKey | None]()
        for first in range(0, len(unknown), _NAMES_AT_ONCE):
            part = unknown[first : first + _NAMES_AT_ONCE]
            found = await self._client.execute_command("HMGET", key, *part)
            names |= {n: series_name(raw) for n, raw in zip(part, found, strict=True) if raw}
        return names

    async def progress(self) -> Progress:
        """Return the progress of the last publisher."""
        raw, revision = await self._client.execute_command(
            "HMGET", keys.publisher(self._store.state_name), "progress", "revision"
        )
        self._stored_revision = int(revision or 0)
        progress = _decode(raw) if raw else Progress(0, {}, None)
        progress.revision = max(progress.revision, self._stored_revision)
        return progress

    async def publish(self, epoch: int, progress: Progress, snapshot: bytes) -> None:
        """Store snapshot and progress. Raises FencedError if another worker publishes."""
        name = self._store.state_name
        answer = await PUBLISH.run(
            self._client, (keys.publisher(name), keys.snapshot(name)),
            self._store.owner_name, epoch,
            self._stored_revision, progress.revision, _encode(progress), snapshot,
        )  # fmt: skip
        if answer != b"OK":
            raise FencedError(f"another worker publishes for app {self._app!r}")
        self._stored_revision = progress.revision

    async def note_definitions(self, wanted: Mapping[str, Fingerprint], now_ms: int) -> None:
        """Store the definitions that counts are made with from now on, for `engage plan`."""
        stored = await read_definitions(self._client, self._store)
        kept = carried_on(stored, wanted, now_ms)
        key = keys.definitions(self._store.state_name)
        fields = [part for name, one in kept.items() for part in (name, msgspec.json.encode(one))]
        await self._client.execute_command("HSET", key, *fields)
        if gone := [name for name in stored if name not in kept]:
            await self._client.execute_command("HDEL", key, *gone)

    async def snapshot(self) -> bytes | None:
        """Return the published snapshot; None before the first."""
        raw: bytes | None = await self._client.execute_command(
            "GET", keys.snapshot(self._store.state_name)
        )
        return raw


async def read_definitions(client: RedisClient, store: Store) -> dict[str, Fingerprint]:
    """Return the definition that each metric's counts were made with; empty before the first snapshot."""
    raw = await client.execute_command("HGETALL", keys.definitions(store.state_name))
    return {
        name.decode(): msgspec.json.decode(value, type=Fingerprint) for name, value in raw.items()
    }


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Progress).decode
