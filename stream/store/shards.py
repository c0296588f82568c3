"""Stores shards in Redis: claims, checkpoints, people, and dead letters on their way to Kafka."""

import asyncio
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stream.counters.table import BucketKey
from stream.engine.checkpoint import READ_VERSIONS, Checkpoint
from stream.people.person import Person, person_field, unpack
from stream.publish.log_identity import LogIdentity, Mismatch, find_mismatch
from stream.store import keys
from stream.store.checkpoint_writes import checkpoint_writes, unpack_dead_letters
from stream.store.connection import RedisClient, together
from stream.store.keys import ShardKeys, parse_bucket
from stream.store.log_identity import claim_arguments, read_log_identity, with_stored
from stream.store.scripts import CLAIM, STORE_CHECKPOINT
from stream.store.stored_meta import refusal

_READ_AT_ONCE = 5_000
_BUCKETS_AT_ONCE = 64
#: Counts to convert before the event loop gets a turn: some milliseconds.
_COUNTS_AT_ONCE = 10_000


class CheckpointRefusedError(Exception):
    """Redis has refused a checkpoint; `answer` is LOST, FENCED, CONFLICT or WRONGTYPE."""

    def __init__(self, partition: int, answer: str) -> None:
        self.answer = answer
        super().__init__(f"the checkpoint of shard {partition} was refused: {answer}")


class ClaimRefusedError(Exception):
    """The stored state does not fit this worker; the message says what to do."""


class OtherLogError(ClaimRefusedError):
    """The stored state is that of another log."""

    def __init__(self, mismatch: Mismatch) -> None:
        self.mismatch = mismatch
        super().__init__(mismatch.text)


@dataclass(slots=True)
class Claim:
    """The stored shard as of the moment this worker became its owner."""

    incarnation: str
    epoch: int
    position: str
    sequence: int
    state: bytes
    #: Whether this worker found nothing in Redis, now or in a claim before.
    is_created: bool = True

    @property
    def is_new(self) -> bool:
        """Whether the shard has no checkpoint yet."""
        return not self.state


@dataclass(slots=True)
class ShardParts:
    """The stored parts of a shard beside its claim and its people; see `restore`."""

    names: list[tuple[int, bytes]]
    buckets: dict[BucketKey, dict[int, int]]
    opened: dict[str, tuple[int, int]]


class Store:
    """The shards of one app in Redis. Errors of the connection are raised as they are."""

    def __init__(self, client: RedisClient, app: str, owner: str, log: LogIdentity | int) -> None:
        """`log` is what is counted; a number of partitions alone suffices to read."""
        self._client = client
        self._app = app
        self.owner_name = owner
        self._log = LogIdentity(log) if isinstance(log, int) else log
        #: Partition → the incarnation that this worker has made.
        self._created: dict[int, str] = {}
        #: The generation of the state to read and write; "" is the first.
        self.generation = ""

    @property
    def state_name(self) -> str:
        """The name that stands for the app in the keys of the state."""
        return keys.state_name(self._app, self.generation)

    @property
    def partitions(self) -> int:
        """The number of shards."""
        return self._log.partitions

    async def live_generation(self) -> str:
        """Return the generation that the workers are to count in."""
        raw = await self._client.execute_command("GET", keys.generation(self._app))
        return raw.decode() if raw else ""

    async def make_live(self) -> None:
        """Make this store's generation the one that the workers count in."""
        await self._client.execute_command("SET", keys.generation(self._app), self.generation)

    async def forget(self, partition: int) -> None:
        """Delete a shard of this generation, except dead letters that Kafka does not have yet."""
        shard = self.keys(partition)
        listed = await self._client.execute_command("ZRANGE", shard.changed, 0, -1)
        # The claim first: a worker that still writes is refused.
        gone = [shard.meta, shard.people, shard.names, shard.opened, shard.changed]
        gone += [shard.bucket(parse_bucket(name.decode())) for name in listed]
        await self._client.execute_command("UNLINK", *gone)

    async def forget_published(self) -> None:
        """Delete everything that this generation's publisher has stored."""
        await self._client.execute_command("UNLINK", *keys.published(self.state_name))

    def keys(self, partition: int) -> ShardKeys:
        """Return the keys of a shard."""
        return ShardKeys(self.state_name, partition)

    async def claim(self, partition: int) -> Claim:
        """Become the owner of a shard; the owner before is fenced from now on.

        Raises OtherLogError if the stored state is that of another log, ClaimRefusedError if it has
        another version, or while a command changes it.
        """
        new = uuid.uuid4().hex
        answer = await CLAIM.run(
            self._client, [self.keys(partition).meta],
            self.owner_name, new, " ".join(READ_VERSIONS), *claim_arguments(self._log),
        )  # fmt: skip
        if answer[0] != b"OK":
            field, stored = answer[1].decode(), answer[2].decode()
            counted = with_stored(self._log, {field: stored})
            if mismatch := find_mismatch(self._app, counted, self._log):
                raise OtherLogError(mismatch)
            wanted = " or ".join(READ_VERSIONS)
            raise ClaimRefusedError(refusal(self._app, partition, field, stored, wanted))
        meta = _pairs(answer[1])
        incarnation = meta[b"incarnation"].decode()
        if incarnation == new:
            self._created[partition] = incarnation
        return Claim(
            incarnation=incarnation,
            epoch=int(meta[b"epoch"]),
            position=meta[b"position"].decode(),
            sequence=int(meta[b"sequence"]),
            state=meta[b"state"],
            is_created=self._created.get(partition) == incarnation,
        )

    async def mismatch(self) -> Mismatch | None:
        """Compare the log whose counts are stored, if any are, with that of this worker."""
        log = self._log
        counted = await read_log_identity(
            self._client, self.state_name, log.partitions, log.topic_ids
        )
        return find_mismatch(self._app, counted, log) if counted else None

    async def owner(self, partition: int) -> tuple[str, int, str]:
        """Return the stored owner, epoch and position; empty and 0 if there is no shard."""
        values = await self._client.execute_command(
            "HMGET", self.keys(partition).meta, "owner", "epoch", "position"
        )
        owner, epoch, position = ((value or b"").decode() for value in values)
        return owner, int(epoch or 0), position

    async def load(self, partition: int) -> ShardParts:
        """Read a shard without its people."""
        shard = self.keys(partition)
        names, opened, listed = await together(
            self._client,
            (
                ("HGETALL", shard.names),
                ("HGETALL", shard.opened),
                ("ZRANGE", shard.changed, 0, -1),
            ),
        )
        return ShardParts(
            names=[(int(name_id), name) for name_id, name in _pairs(names).items()],
            buckets=await self.buckets(partition, [parse_bucket(one.decode()) for one in listed]),
            opened={key.decode(): _opened(value) for key, value in _pairs(opened).items()},
        )

    async def buckets(
        self, partition: int, wanted: Sequence[BucketKey]
    ) -> dict[BucketKey, dict[int, int]]:
        """Return the counts of time buckets by series id, some buckets per call."""
        shard, found, converted = self.keys(partition), {}, 0
        for first in range(0, len(wanted), _BUCKETS_AT_ONCE):
            part = wanted[first : first + _BUCKETS_AT_ONCE]
            answers = await together(self._client, [("HGETALL", shard.bucket(b)) for b in part])
            for bucket, answer in zip(part, answers, strict=True):
                counts = _pairs(answer).items()
                found[bucket] = {int(series): int(count) for series, count in counts}
                converted += len(counts)
                if converted > _COUNTS_AT_ONCE:
                    converted = 0
                    await asyncio.sleep(0)
        return found

    async def read_people(self, partition: int, wanted: Iterable[str]) -> list[Person]:
        """Return the people of these keys, some thousands per call; a person never seen comes back empty."""
        asked = list(wanted)
        people: list[Person] = []
        for first in range(0, len(asked), _READ_AT_ONCE):
            part = asked[first : first + _READ_AT_ONCE]
            fields = [person_field(key) for key in part]
            found = await self._client.execute_command(
                "HMGET", self.keys(partition).people, *fields
            )
            for key, field, raw in zip(part, fields, found, strict=True):
                person = Person(key) if raw is None else unpack(key, raw)
                person.field, person.packed = field, raw or b""
                people.append(person)
        return people

    async def scan_people(
        self, partition: int, cursor: int, at_once: int
    ) -> tuple[int, dict[bytes, bytes]]:
        """Return the next cursor, 0 at the end, and some packed people. A person may come twice."""
        key = self.keys(partition).people
        answer = await self._client.execute_command("HSCAN", key, cursor, "COUNT", at_once)
        return int(answer[0]), _pairs(answer[1])

    async def store(self, claim: Claim, checkpoint: Checkpoint) -> None:
        """Write a checkpoint in one step. Raises CheckpointRefusedError if nothing was written."""
        written, writes, arguments = checkpoint_writes(checkpoint, self.keys(checkpoint.partition))
        answer = await self.checkpoint_script.run(
            self._client, written,
            claim.incarnation, claim.epoch, self.owner_name,
            checkpoint.expected, checkpoint.reached, checkpoint.sequence, checkpoint.state,
            json.dumps(writes), *arguments,
        )  # fmt: skip
        if answer != b"OK":
            raise CheckpointRefusedError(checkpoint.partition, answer.decode())

    #: A broken build replaces it, to prove that the fault tests notice.
    checkpoint_script = STORE_CHECKPOINT

    async def dead_letters_waiting(self, partition: int) -> list[int]:
        """Return the sequences of the checkpoints whose dead letters wait for Kafka, oldest first."""
        found = await self._client.execute_command("HKEYS", self.keys(partition).ledger)
        return sorted(int(sequence) for sequence in found)

    async def dead_letters(self, partition: int, sequence: int) -> list[bytes]:
        """Return the encoded dead letters of one checkpoint; empty if Kafka has them."""
        key = self.keys(partition).ledger
        raw = await self._client.execute_command("HGET", key, sequence)
        return [] if raw is None else unpack_dead_letters(raw)

    async def dead_letters_done(self, partition: int, sequence: int) -> None:
        """Delete the dead letters of one checkpoint: Kafka has them. Harmless if repeated."""
        await self._client.execute_command("HDEL", self.keys(partition).ledger, sequence)

    async def changed_since(self, partition: int, sequence: int) -> list[BucketKey]:
        """Return the buckets changed by checkpoints after `sequence`."""
        names = await self._client.execute_command(
            "ZRANGEBYSCORE", self.keys(partition).changed, f"({sequence}", "+inf"
        )
        return [parse_bucket(name.decode()) for name in names]


def _pairs(answer: Any) -> dict[bytes, bytes]:
    """Return a hash as a mapping: redis-py answers one from a command, a flat list from a script."""
    if isinstance(answer, Mapping):
        return dict(answer)
    return dict(zip(answer[::2], answer[1::2], strict=True))


def _opened(value: bytes) -> tuple[int, int]:
    expires_ms, sessions = value.split(b";")
    return int(expires_ms), int(sessions)
