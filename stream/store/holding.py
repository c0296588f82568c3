"""Holds the shards of a state for a command: workers are fenced, and cannot claim them meanwhile."""

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from stream.store import keys
from stream.store.connection import redis_time
from stream.store.inventory import FoundState, Note
from stream.store.keys import ShardKeys
from stream.store.state_scripts import CHANGE_HELD, HOLD, RELEASE
from stream.store.stored_meta import ALIVE_SECONDS

#: Most arguments of one script call: Lua's `unpack` takes about 7,900.
ARGUMENTS_MAX = 5_000
_KEYS_AT_ONCE = 500
_LOOK_SECONDS = 0.5

Mode = Literal["stored", "force", "new"]


class StateOwnedError(Exception):
    """A worker or another command owns the state; the message says which, and what to do."""


class Hold:
    """The shards of one state that a command holds. `what` is the command, as it would be repeated."""

    def __init__(self, client: Any, name: str, what: str) -> None:
        self._client = client
        self.name = name
        self._what = what
        self._owner = f"state:{uuid.uuid4().hex[:12]}"
        self._epochs: dict[int, int] = {}

    async def take(self, partitions: Iterable[int], mode: Mode = "stored") -> None:
        """Hold these shards; the state's publisher is fenced as well. Raises StateOwnedError.

        "force" takes over what another command holds, "new" takes only shards that are not stored.
        """
        for partition in partitions:
            answer = await HOLD.run(
                self._client, [ShardKeys(self.name, partition).meta],
                self._owner, self._what, uuid.uuid4().hex, mode,
            )  # fmt: skip
            if answer[0] == b"STORED":
                raise StateOwnedError(f"a worker has begun to count in {self.name}; stop it first")
            if answer[0] != b"OK":
                raise StateOwnedError(
                    f"shard {partition} of {self.name} is being changed by `engage state "
                    f"{answer[1].decode()}`; wait for it, or run it again to finish it"
                )
            self._epochs[partition] = int(answer[1])
        if 0 in self._epochs:
            await self._fence_publisher(self._epochs[0])

    async def write(self, partition: int, command: str, key: str, arguments: Sequence[Any]) -> None:
        """Run a command with any number of arguments, in steps. Raises StateOwnedError."""
        for first in range(0, len(arguments), ARGUMENTS_MAX):
            part = arguments[first : first + ARGUMENTS_MAX]
            await self._change(partition, [key], command, *part)

    async def unlink(self, partition: int, found: Sequence[str]) -> None:
        """Delete keys of a shard. Raises StateOwnedError."""
        for first in range(0, len(found), _KEYS_AT_ONCE):
            await self._change(partition, found[first : first + _KEYS_AT_ONCE], "UNLINK")

    async def release(self) -> None:
        """Let all shards go: workers may claim them."""
        for partition, epoch in self._epochs.items():
            meta = ShardKeys(self.name, partition).meta
            answer = await RELEASE.run(self._client, [meta], epoch, self._owner)
            self._check(partition, answer)

    async def _change(
        self, partition: int, found: Sequence[str], command: str, *arguments: Any
    ) -> None:
        meta = ShardKeys(self.name, partition).meta
        answer = await CHANGE_HELD.run(
            self._client, [meta, *found], self._epochs[partition], self._owner, command, *arguments
        )
        self._check(partition, answer)

    def _check(self, partition: int, answer: bytes) -> None:
        if answer != b"OK":
            raise StateOwnedError(
                f"shard {partition} of {self.name} was taken over by a worker of an earlier version, "
                "or by another command. Stop it, then run this command again: it goes on"
            )

    async def _fence_publisher(self, epoch: int) -> None:
        key = keys.publisher(self.name)
        if await self._client.execute_command("EXISTS", key):
            await self._client.execute_command("HSET", key, "epoch", epoch, "owner", self._owner)


async def check_unowned(
    client: Any, state: FoundState, note: Note, alive_seconds: float = ALIVE_SECONDS
) -> None:
    """Raise StateOwnedError if a worker is counting in this state.

    A worker stores checkpoints, or publishes, every second or so. Whoever did so lately is watched until
    `alive_seconds` have passed since.
    """
    before = await _marks(client, state)
    stored = [float(mark[-1]) for mark in before.values() if mark[-1]]
    # An earlier version does not date its checkpoints.
    newest = max(stored, default=0.0) if len(stored) == len(before) else None
    if not before:
        return
    now = await redis_time(client)
    until = (now if newest is None else newest) + alive_seconds
    if now < until:
        note(f"watching for {until - now:.0f} s whether a worker counts in {state.name}")
    while now < until:
        await asyncio.sleep(min(_LOOK_SECONDS, until - now))
        after = await _marks(client, state)
        moved = sorted({mark[0] for place, mark in after.items() if mark != before.get(place)})
        if moved:
            owners = ", ".join(owner.decode() for owner in moved if owner) or "a worker"
            raise StateOwnedError(
                f"{owners} is counting in {state.name}; stop all its workers, then run this again"
            )
        now = await redis_time(client)


async def _marks(client: Any, state: FoundState) -> dict[int, tuple[bytes, ...]]:
    """Return the fields that a worker changes: by shard, and under -1 those of the publisher."""
    fields = ("owner", "epoch", "position", "stored_at")
    marks: dict[int, tuple[bytes, ...]] = {}
    for partition, shard in state.shards.items():
        if shard.meta is not None:
            key = ShardKeys(state.name, partition).meta
            found = await client.execute_command("HMGET", key, *fields)
            if found[0] and not found[0].startswith(b"state:"):
                marks[partition] = tuple(value or b"" for value in found)
    if marks:
        key = keys.publisher(state.name)
        found = await client.execute_command(
            "HMGET", key, "owner", "epoch", "revision", "stored_at"
        )
        if found[0]:
            marks[-1] = tuple(value or b"" for value in found)
    return marks
