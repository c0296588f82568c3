"""Copies a whole state to another app: each shard as of one of its checkpoints, into other slots."""

import asyncio
from typing import Any

from stream.store import keys
from stream.store.holding import Hold
from stream.store.inventory import FoundState, Note, scan_keys
from stream.store.keys import ShardKeys, frozen, parse_bucket
from stream.store.state_scripts import FREEZE

_AT_ONCE = 2_000
#: Keys copied at a time, each over a connection of its own.
_TOGETHER = 8
_TRIES = 20
#: Fields of the meta hash that belong to an owner, not to the state.
_OWN = (b"owner", b"epoch", b"incarnation", b"held")


class StateMovingError(Exception):
    """A shard stores checkpoints faster than its keys can be listed."""


class StateCopy:
    """One copy. `hold` holds the target, whose shards must be empty."""

    def __init__(
        self, client: Any, source: FoundState, target: str, hold: Hold, note: Note
    ) -> None:
        self._client = client
        self._source = source
        self._target = target
        self._hold = hold
        self._note = note

    async def run(self) -> None:
        """Copy what is published, then every shard. Raises StateOwnedError and StateMovingError."""
        # Before the shards: progress that is older than they are only publishes more again.
        published = await self._published()
        partitions = sorted(p for p, s in self._source.shards.items() if s.meta is not None)
        for number, partition in enumerate(partitions, 1):
            await self._drop_frozen(partition)
            try:
                count = await self._copy_shard(partition, await self._freeze(partition))
            finally:
                await self._drop_frozen(partition)
            self._note(f"copied shard {number} of {len(partitions)}: {count:,} keys")
        for key, value in published.items():
            if isinstance(value, bytes):
                await self._client.execute_command("SET", key, value)
            elif value:
                flat = [part for pair in value.items() for part in pair]
                await self._client.execute_command("HSET", key, *flat)

    async def _published(self) -> dict[str, Any]:
        """Return target key → the value of what is published."""
        read, source, target = self._client.execute_command, self._source.name, self._target
        publisher = dict(await read("HGETALL", keys.publisher(source)))
        if publisher:
            # A claim of the copy has a newer epoch: it publishes.
            publisher |= {b"owner": b"", b"epoch": b"0"}
        found = {
            keys.publisher(target): publisher,
            keys.definitions(target): await read("HGETALL", keys.definitions(source)),
        }
        if snapshot := await read("GET", keys.snapshot(source)):
            found[keys.snapshot(target)] = snapshot
        return found

    async def _freeze(self, partition: int) -> dict[str, str]:
        """Copy the keys of a shard beside it in one step; return target key → its copy."""
        source, target = ShardKeys(self._source.name, partition), ShardKeys(self._target, partition)
        for _ in range(_TRIES):
            position, epoch = await self._client.execute_command(
                "HMGET", source.meta, "position", "epoch"
            )
            names = await self._client.execute_command("ZRANGE", source.changed, 0, -1)
            buckets = [parse_bucket(name.decode()) for name in names]
            pairs = list(zip(_all_keys(source, buckets), _all_keys(target, buckets), strict=True))
            copies = {theirs: frozen(ours) for ours, theirs in pairs}
            listed = [key for ours, _ in pairs for key in (ours, frozen(ours))]
            answer = await FREEZE.run(
                self._client, [source.meta, *listed], position or b"", epoch or b""
            )
            if answer == b"OK":
                return copies
        raise StateMovingError(
            f"shard {partition} stores checkpoints faster than its keys can be listed; try again when "
            "the workers have caught up"
        )

    async def _copy_shard(self, partition: int, copies: dict[str, str]) -> int:
        meta = ShardKeys(self._target, partition).meta
        pairs, count = [(key, ours) for key, ours in copies.items() if key != meta], 1
        for first in range(0, len(pairs), _TOGETHER):
            part = pairs[first : first + _TOGETHER]
            copying = (self._copy_key(partition, *pair) for pair in part)
            # All have ended before an error is raised: none uses a connection any more.
            for copied in await asyncio.gather(*copying, return_exceptions=True):
                if isinstance(copied, BaseException):
                    raise copied
                count += copied
        fields = dict(await self._client.execute_command("HGETALL", copies[meta]))
        flat = [part for f, v in fields.items() if f not in _OWN for part in (f, v)]
        await self._hold.write(partition, "HSET", meta, flat)
        return count

    async def _copy_key(self, partition: int, key: str, ours: str) -> int:
        """Copy one key; return 1, or 0 if it is not there."""
        kind = await self._client.execute_command("TYPE", ours)
        if kind == b"zset":
            found = await self._client.execute_command("ZRANGE", ours, 0, -1, "WITHSCORES")
            flat = [part for member, score in _pairs(found) for part in (score, member)]
            await self._hold.write(partition, "ZADD", key, flat)
            return 1
        cursor = 0
        while kind == b"hash":
            answer = await self._client.execute_command("HSCAN", ours, cursor, "COUNT", _AT_ONCE)
            cursor = int(answer[0])
            flat = [part for pair in answer[1].items() for part in pair]
            await self._hold.write(partition, "HSET", key, flat)
            if not cursor:
                break
        return int(kind == b"hash")

    async def _drop_frozen(self, partition: int) -> None:
        """Delete frozen keys, also those that an interrupted copy has left."""
        prefix = frozen(ShardKeys(self._source.name, partition).meta).removesuffix("meta")
        async for found in scan_keys(self._client, f"{prefix}*"):
            for first in range(0, len(found), _AT_ONCE):
                await self._client.execute_command("UNLINK", *found[first : first + _AT_ONCE])


def _all_keys(shard: ShardKeys, buckets: list[Any]) -> list[str]:
    whole = [shard.meta, shard.people, shard.names, shard.opened, shard.changed, shard.ledger]
    return [*whole, *map(shard.bucket, buckets)]


def _pairs(answer: Any) -> list[tuple[bytes, Any]]:
    """Return members with scores: redis-py answers pairs from some servers, a flat list from others."""
    if answer and isinstance(answer[0], (list, tuple)):
        return [(member, score) for member, score in answer]
    return list(zip(answer[::2], answer[1::2], strict=True))
