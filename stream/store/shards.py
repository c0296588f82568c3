"""Redis as the authority: claims a shard, loads it, reads people, and stores cuts."""

import json
import uuid
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, Protocol

import cramjam
import msgspec
from redis.exceptions import NoScriptError

from stream.counters.table import BucketKey
from stream.engine.checkpoint import STATE_VERSION, Checkpoint
from stream.people.person import Person, person_field, unpack
from stream.store import keys
from stream.store.keys import ShardKeys, bucket_name, parse_bucket
from stream.store.scripts import CLAIM, STORE_CHECKPOINT

_HSET, _HDEL, _UNLINK, _ZADD, _ZREM = "HSET", "HDEL", "UNLINK", "ZADD", "ZREM"
_READ_AT_ONCE = 5_000
#: zstd's level for dead letters: lz4's time, and a little smaller.
_FAST = -5


class CheckpointRefusedError(Exception):
    """Redis did not take a cut; `answer` is LOST, FENCED, CONFLICT or WRONGTYPE."""

    def __init__(self, partition: int, answer: str) -> None:
        self.answer = answer
        super().__init__(f"the cut of shard {partition} was refused: {answer}")


class ClaimRefusedError(Exception):
    """Stored state that this worker must not touch; the message says what to do."""


class RedisClient(Protocol):
    """The part of redis.asyncio that is used (a single server or a cluster)."""

    def execute_command(self, *arguments: Any, **options: Any) -> Awaitable[Any]: ...


@dataclass(slots=True)
class Claim:
    """A shard as it was found when this worker became its owner."""

    incarnation: str
    epoch: int
    position: str
    sequence: int
    state: bytes

    @property
    def is_new(self) -> bool:
        """No cut was ever stored."""
        return not self.state


@dataclass(slots=True)
class Loaded:
    """What `restore` needs beside the claim."""

    names: list[tuple[int, bytes]]
    buckets: dict[BucketKey, dict[int, int]]
    opened: dict[str, tuple[int, int]]


class Store:
    """All of the shard's traffic with Redis. Errors of the connection pass through as they are."""

    def __init__(self, client: RedisClient, app: str, owner: str, partitions: int) -> None:
        self._client = client
        self._app = app
        self.owner_name = owner
        self._partitions = partitions
        #: The generation of the state that is read and written; "" is the first.
        self.generation = ""

    @property
    def state_name(self) -> str:
        """What stands for the app in the keys of the state."""
        return keys.state_name(self._app, self.generation)

    async def live_generation(self) -> str:
        """The generation that the workers are to count in."""
        raw = await self._client.execute_command("GET", keys.generation(self._app))
        return raw.decode() if raw else ""

    async def make_live(self) -> None:
        """Have the workers go on in this store's generation."""
        await self._client.execute_command("SET", keys.generation(self._app), self.generation)

    async def forget(self, partition: int) -> None:
        """Delete a shard of this generation: its ledger entries stay until they are in Kafka."""
        shard = self.keys(partition)
        listed = await self._client.execute_command("ZRANGE", shard.changed, 0, -1)
        # The claim first: whoever still writes finds that it has lost the shard.
        gone = [shard.meta, shard.people, shard.names, shard.opened, shard.changed]
        gone += [shard.bucket(parse_bucket(name.decode())) for name in listed]
        await self._client.execute_command("UNLINK", *gone)

    async def forget_published(self) -> None:
        """Delete what this generation's publisher has stored."""
        name = self.state_name
        published = (keys.publisher(name), keys.snapshot(name), keys.definitions(name))
        # They share a slot: see their names.
        await self._client.execute_command("UNLINK", *published)

    def keys(self, partition: int) -> ShardKeys:
        """The keys of a shard."""
        return ShardKeys(self.state_name, partition)

    async def claim(self, partition: int) -> Claim:
        """Become the owner of a shard: whoever owned it before is fenced from now on.

        Raises ClaimRefusedError when the stored state is of another version or partition count.
        """
        answer = await self._script(
            CLAIM, [self.keys(partition).meta],
            self.owner_name, uuid.uuid4().hex, STATE_VERSION, self._partitions,
        )  # fmt: skip
        if answer[0] != b"OK":
            field, stored = answer[1].decode(), answer[2].decode()
            raise ClaimRefusedError(
                f"shard {partition} of app {self._app!r} was stored with {field} = {stored}; this "
                f"worker has {STATE_VERSION if field == 'version' else self._partitions}. Use the "
                f"old {field}, or another `app` name to count anew from the log."
            )
        meta = _pairs(answer[1])
        return Claim(
            incarnation=meta[b"incarnation"].decode(),
            epoch=int(meta[b"epoch"]),
            position=meta[b"position"].decode(),
            sequence=int(meta[b"sequence"]),
            state=meta[b"state"],
        )

    async def owner(self, partition: int) -> tuple[str, int, str]:
        """(owner, epoch, position) as stored; empty and 0 when there is nothing."""
        values = await self._client.execute_command(
            "HMGET", self.keys(partition).meta, "owner", "epoch", "position"
        )
        owner, epoch, position = ((value or b"").decode() for value in values)
        return owner, int(epoch or 0), position

    async def load(self, partition: int) -> Loaded:
        """Everything of a shard but its people."""
        shard = self.keys(partition)
        names = _pairs(await self._client.execute_command("HGETALL", shard.names))
        opened = _pairs(await self._client.execute_command("HGETALL", shard.opened))
        listed = await self._client.execute_command("ZRANGE", shard.changed, 0, -1)
        buckets = {}
        for name in listed:
            bucket = parse_bucket(name.decode())
            buckets[bucket] = await self.bucket(partition, bucket)
        return Loaded(
            names=[(int(name_id), name) for name_id, name in names.items()],
            buckets=buckets,
            opened={key.decode(): _opened(value) for key, value in opened.items()},
        )

    async def bucket(self, partition: int, bucket: BucketKey) -> dict[int, int]:
        """Series id → count of one time bucket; empty when it is not there."""
        found = await self._client.execute_command("HGETALL", self.keys(partition).bucket(bucket))
        return {int(series): int(count) for series, count in _pairs(found).items()}

    async def read_people(self, partition: int, wanted: Iterable[str]) -> list[Person]:
        """The people of these keys, in one call a few thousand; those never seen come back empty."""
        asked = list(wanted)
        people: list[Person] = []
        for first in range(0, len(asked), _READ_AT_ONCE):
            part = asked[first : first + _READ_AT_ONCE]
            found = await self._client.execute_command(
                "HMGET", self.keys(partition).people, *map(person_field, part)
            )
            people += [
                Person(key) if raw is None else unpack(key, raw)
                for key, raw in zip(part, found, strict=True)
            ]
        return people

    async def scan_people(
        self, partition: int, cursor: int, at_once: int
    ) -> tuple[int, dict[bytes, bytes]]:
        """(where to go on, 0 at the end; some people as they are stored). Some may come twice."""
        key = self.keys(partition).people
        answer = await self._client.execute_command("HSCAN", key, cursor, "COUNT", at_once)
        return int(answer[0]), _pairs(answer[1])

    async def store(self, claim: Claim, checkpoint: Checkpoint) -> None:
        """Write a cut as one step. Raises CutRefusedError for any answer but OK: nothing was written."""
        written, writes, arguments = self._writes(checkpoint)
        answer = await self._script(
            self.checkpoint_script, written,
            claim.incarnation, claim.epoch, self.owner_name,
            checkpoint.expected, checkpoint.reached, checkpoint.sequence, checkpoint.state,
            json.dumps(writes), *arguments,
        )  # fmt: skip
        if answer != b"OK":
            raise CheckpointRefusedError(checkpoint.partition, answer.decode())

    #: A test build replaces it, to prove that the fault tests notice.
    checkpoint_script = STORE_CHECKPOINT

    def _writes(
        self, checkpoint: Checkpoint
    ) -> tuple[list[str], list[tuple[str, int, int]], list[bytes]]:
        """Keys, what to do with them, and the arguments of it all in one row."""
        shard = self.keys(checkpoint.partition)
        written = [shard.meta]
        writes: list[tuple[str, int, int]] = []
        row: list[bytes] = []

        def write(command: str, key: str, arguments: list[bytes]) -> None:
            if arguments or command == _UNLINK:
                written.append(key)
                writes.append((command, len(written), len(arguments)))
                row.extend(arguments)

        write(_HSET, shard.people, _flat(checkpoint.people))
        for bucket, counts in checkpoint.buckets.items():
            write(
                _HSET,
                shard.bucket(bucket),
                _flat({_number(s): _number(n) for s, n in counts.items()}),
            )
        names = [bucket_name(bucket).encode() for bucket in checkpoint.buckets]
        write(
            _ZADD,
            shard.changed,
            [x for name in names for x in (_number(checkpoint.sequence), name)],
        )
        for bucket in checkpoint.dropped:
            write(_UNLINK, shard.bucket(bucket), [])
        write(_ZREM, shard.changed, [bucket_name(bucket).encode() for bucket in checkpoint.dropped])
        write(_HSET, shard.names, _flat({_number(i): name for i, name in checkpoint.names.items()}))
        opened = {key.encode(): b"%d;%d" % value for key, value in checkpoint.opened.items()}
        write(_HSET, shard.opened, _flat(opened))
        write(_HDEL, shard.opened, [key.encode() for key in checkpoint.closed])
        if checkpoint.dead_letters:
            write(
                _HSET,
                shard.ledger,
                [_number(checkpoint.sequence), _packed(checkpoint.dead_letters)],
            )
        return written, writes, row

    async def dead_letters_waiting(self, partition: int) -> list[int]:
        """Sequences of the cuts whose ledger entries are not known to be in Kafka, oldest first."""
        found = await self._client.execute_command("HKEYS", self.keys(partition).ledger)
        return sorted(int(sequence) for sequence in found)

    async def dead_letters(self, partition: int, sequence: int) -> list[bytes]:
        """The encoded ledger entries of one cut; empty when they are gone."""
        key = self.keys(partition).ledger
        raw = await self._client.execute_command("HGET", key, sequence)
        return [] if raw is None else _decode(cramjam.zstd.decompress(raw))

    async def dead_letters_done(self, partition: int, sequence: int) -> None:
        """Forget the entries of one cut: Kafka has them. By number, so that doing it twice is harmless."""
        await self._client.execute_command("HDEL", self.keys(partition).ledger, sequence)

    async def changed_since(self, partition: int, sequence: int) -> list[BucketKey]:
        """Buckets that a later cut than `sequence` has changed."""
        names = await self._client.execute_command(
            "ZRANGEBYSCORE", self.keys(partition).changed, f"({sequence}", "+inf"
        )
        return [parse_bucket(name.decode()) for name in names]

    async def _script(self, script: str, keys: list[str], *arguments: Any) -> Any:
        run = self._client.execute_command
        try:
            digest = sha1(script.encode(), usedforsecurity=False).hexdigest()
            return await run("EVALSHA", digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return await run("EVAL", script, len(keys), *keys, *arguments)


def _pairs(answer: Any) -> dict[bytes, bytes]:
    """A hash as redis-py gives it: a mapping from a command, a flat list from a script."""
    if isinstance(answer, Mapping):
        return dict(answer)
    return dict(zip(answer[::2], answer[1::2], strict=True))


def _flat(mapping: Mapping[bytes, bytes]) -> list[bytes]:
    return [part for pair in mapping.items() for part in pair]


def _number(value: int) -> bytes:
    return b"%d" % value


def _opened(value: bytes) -> tuple[int, int]:
    expires_ms, sessions = value.split(b";")
    return int(expires_ms), int(sessions)


def _packed(entries: list[bytes]) -> bytes:
    """Dead letters look alike: a fifth of their size, for less time than Redis takes for the rest."""
    return bytes(cramjam.zstd.compress(_encode(entries), _FAST))


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[bytes]).decode
