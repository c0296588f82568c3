"""Reports of the workers of an app: a sign of life, their shards, heavy people, why numbers are not live."""

from collections.abc import Collection, Mapping

import msgspec

from stream.publish.snapshot import HeavyPerson
from stream.publish.staleness import Stale
from stream.store import keys
from stream.store.connection import RedisClient
from stream.store.shards import Store


class WorkerReport(msgspec.Struct, array_like=True, frozen=True):
    """The last report of one worker."""

    #: Grows with each report. Clocks of several machines are not compared.
    beat: int
    partitions: list[int]
    stale: list[Stale]
    #: The heaviest person of each of its shards.
    heaviest: list[HeavyPerson] = []


class WorkerReports:
    """Writes and reads reports; they go with the state, as the snapshot does."""

    def __init__(self, client: RedisClient, store: Store) -> None:
        self._client = client
        self._store = store

    @property
    def _key(self) -> str:
        return keys.workers(self._store.state_name)

    async def write(self, report: WorkerReport) -> None:
        """Store the report of this worker."""
        name = self._store.owner_name
        await self._client.execute_command("HSET", self._key, name, _encode(report))

    async def read(self) -> Mapping[str, WorkerReport]:
        """Return the last report of every worker by its name."""
        found = await self._client.execute_command("HGETALL", self._key)
        return {name.decode(): _decode(raw) for name, raw in found.items()}

    async def forget(self, names: Collection[str]) -> None:
        """Delete reports: of this worker when it stops, of others when they are long gone."""
        if names:
            await self._client.execute_command("HDEL", self._key, *names)

    async def forget_own(self) -> None:
        """Delete the report of this worker: it stops."""
        await self.forget([self._store.owner_name])


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(WorkerReport).decode
