"""Redis as the publisher sees it: what all shards have stored, its own progress, and the snapshot."""

import asyncio
from collections.abc import Mapping
from hashlib import sha1
from typing import Any

import msgspec
from redis.exceptions import NoScriptError

from stream.configure.fingerprints import Fingerprint, carried_on
from stream.counters.segments import series_name
from stream.counters.table import BucketKey
from stream.engine.checkpoint import StoredShard, read_stored
from stream.publish.merged_counts import SeriesKey
from stream.store import keys
from stream.store.scripts import PUBLISH
from stream.store.shards import RedisClient, Store


class FencedError(Exception):
    """Another worker publishes now."""


class Progress(msgspec.Struct, array_like=True):
    """How far records are known to be in Kafka. `revision` only ever grows.

    By what was acknowledged last: each shard's cut, the watermark, and the newest event time.
    """

    revision: int
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
        """The generation of the state that is read."""
        return self._store.generation

    async def shards(self) -> dict[int, StoredShard]:
        """Partition → the always-written part of its last cut; those never cut are left out."""
        raw = await asyncio.gather(
            *(
                self._client.execute_command("HGET", self._store.keys(p).meta, "state")
                for p in range(self.partitions)
            )
        )
        return {p: read_stored(state) for p, state in enumerate(raw) if state}

    async def changed(self, partition: int, since: int) -> tuple[int, list[BucketKey]]:
        """(sequence of the shard's last cut, buckets changed by cuts after `since`).

        All buckets when the shard has been claimed since they were read last.
        """
        stored, epoch = await self._client.execute_command(
            "HMGET", self._store.keys(partition).meta, "sequence", "epoch"
        )
        # Read first: what is cut in between is found again the next time.
        sequence = int(stored or 0)
        if epoch != self._epochs.get(partition):
            # Claimed anew, perhaps after Redis has lost something: the numbers of cuts and names
            # may stand for others now.
            self._epochs[partition] = epoch
            self._names.pop(partition, None)
            since = -1
        if sequence == since:
            return sequence, []
        return sequence, await self._store.changed_since(partition, since)

    async def changed_since(self, sequences: Mapping[int, int]) -> set[BucketKey]:
        """Buckets that any shard has changed by a later cut than the one named here."""
        found = await asyncio.gather(
            *(self._store.changed_since(p, sequences.get(p, -1)) for p in range(self.partitions))
        )
        return {bucket for buckets in found for bucket in buckets}

    async def bucket(self, partition: int, bucket: BucketKey) -> Mapping[SeriesKey, int]:
        """Counts of one shard in one bucket, by name."""
        found = await self._store.bucket(partition, bucket)
        names = self._names.setdefault(partition, {})
        if any(series not in names for series in found):
            names.update(await self._read_names(partition))
        return {name: count for i, count in found.items() if (name := names[i]) is not None}

    async def _read_names(self, partition: int) -> dict[int, SeriesKey | None]:
        stored = await self._client.execute_command("HGETALL", self._store.keys(partition).names)
        return {int(name_id): series_name(raw) for name_id, raw in stored.items()}

    async def progress(self) -> Progress:
        """What the last publisher has stored."""
        raw, revision = await self._client.execute_command(
            "HMGET", keys.publisher(self._store.state_name), "progress", "revision"
        )
        self._stored_revision = int(revision or 0)
        progress = _decode(raw) if raw else Progress(0, {}, None)
        progress.revision = max(progress.revision, self._stored_revision)
        return progress

    async def publish(self, epoch: int, progress: Progress, snapshot: bytes) -> None:
        """Store snapshot and progress. Raises FencedError when this worker is not the publisher."""
        arguments: list[Any] = [
            2, keys.publisher(self._store.state_name), keys.snapshot(self._store.state_name),
            self._store.owner_name, epoch,
            self._stored_revision, progress.revision, _encode(progress), snapshot,
        ]  # fmt: skip
        try:
            answer = await self._client.execute_command("EVALSHA", _DIGEST, *arguments)
        except NoScriptError:
            answer = await self._client.execute_command("EVAL", PUBLISH, *arguments)
        if answer != b"OK":
            raise FencedError(f"another worker publishes for app {self._app!r}")
        self._stored_revision = progress.revision

    async def note_definitions(self, wanted: Mapping[str, Fingerprint], now_ms: int) -> None:
        """Remember what is counted from now on, for `engage plan`."""
        stored = await read_definitions(self._client, self._store)
        kept = carried_on(stored, wanted, now_ms)
        key = keys.definitions(self._store.state_name)
        fields = [part for name, one in kept.items() for part in (name, msgspec.json.encode(one))]
        await self._client.execute_command("HSET", key, *fields)
        if gone := [name for name in stored if name not in kept]:
            await self._client.execute_command("HDEL", key, *gone)

    async def snapshot(self) -> bytes | None:
        """The published snapshot, whoever has made it."""
        raw: bytes | None = await self._client.execute_command(
            "GET", keys.snapshot(self._store.state_name)
        )
        return raw


async def read_definitions(client: RedisClient, store: Store) -> dict[str, Fingerprint]:
    """What the counts of each metric are made of, by name; empty when nothing was published yet."""
    raw = await client.execute_command("HGETALL", keys.definitions(store.state_name))
    return {
        name.decode(): msgspec.json.decode(value, type=Fingerprint) for name, value in raw.items()
    }


_DIGEST = sha1(PUBLISH.encode(), usedforsecurity=False).hexdigest()
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Progress).decode
