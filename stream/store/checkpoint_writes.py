"""Turns a checkpoint into the Redis writes of one script call."""

from collections.abc import Mapping
from typing import NamedTuple

import cramjam
import msgspec

from stream.engine.checkpoint import Checkpoint
from stream.store.keys import ShardKeys, bucket_name

#: zstd level for dead letters: as fast as lz4, and a little smaller.
_FAST = -5


class Writes(NamedTuple):
    """The arguments of the script after the fixed ones; see `stream.store.scripts`."""

    #: The shard's meta key, then the key of each command.
    keys: list[str]
    #: (command, number of its key, number of its arguments).
    commands: list[tuple[str, int, int]]
    #: The arguments of all commands, in one row.
    arguments: list[bytes]

    def add(self, command: str, key: str, arguments: list[bytes]) -> None:
        """Add a command, unless it would change nothing."""
        if arguments or command == "UNLINK":
            self.keys.append(key)
            self.commands.append((command, len(self.keys), len(arguments)))
            self.arguments.extend(arguments)


def checkpoint_writes(checkpoint: Checkpoint, shard: ShardKeys) -> Writes:
    """Return the writes of a checkpoint to the keys of its shard."""
    writes = Writes([shard.meta], [], [])
    writes.add("HSET", shard.people, _flat(checkpoint.people))
    for bucket, counts in checkpoint.buckets.items():
        series = {_number(series): _number(count) for series, count in counts.items()}
        writes.add("HSET", shard.bucket(bucket), _flat(series))
    sequence = _number(checkpoint.sequence)
    changed = [bucket_name(bucket).encode() for bucket in checkpoint.buckets]
    writes.add("ZADD", shard.changed, [part for name in changed for part in (sequence, name)])
    for bucket in checkpoint.dropped:
        writes.add("UNLINK", shard.bucket(bucket), [])
    dropped = [bucket_name(bucket).encode() for bucket in checkpoint.dropped]
    writes.add("ZREM", shard.changed, dropped)
    names = {_number(name_id): name for name_id, name in checkpoint.names.items()}
    writes.add("HSET", shard.names, _flat(names))
    opened = {key.encode(): b"%d;%d" % value for key, value in checkpoint.opened.items()}
    writes.add("HSET", shard.opened, _flat(opened))
    writes.add("HDEL", shard.opened, [key.encode() for key in checkpoint.closed])
    if checkpoint.dead_letters:
        writes.add("HSET", shard.ledger, [sequence, pack_dead_letters(checkpoint.dead_letters)])
    return writes


def pack_dead_letters(entries: list[bytes]) -> bytes:
    """Compress the dead letters of one checkpoint: alike as they are, to a fifth of their size."""
    return bytes(cramjam.zstd.compress(_encode(entries), _FAST))


def unpack_dead_letters(packed: bytes) -> list[bytes]:
    """Return the dead letters of one checkpoint."""
    return _decode(cramjam.zstd.decompress(packed))


def _flat(mapping: Mapping[bytes, bytes]) -> list[bytes]:
    return [part for pair in mapping.items() for part in pair]


def _number(value: int) -> bytes:
    return b"%d" % value


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[bytes]).decode
