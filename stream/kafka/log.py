"""Offsets, seeks and commits of the input topics, through Faust's consumer."""

from collections.abc import Mapping
from typing import cast

from faust import App
from faust.types import TP

from stream.kafka.transport import Consumer


class FaustLog:
    """The log of the running app's consumer; implements `stream.worker.log.Log`."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def bounds(self, tps: set[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        """Return the first and the next offset of each partition."""
        consumer = self._consumer
        return await consumer.earliest_offsets(*tps), await consumer.highwaters(*tps)

    async def rewind(self, offsets: Mapping[TP, int]) -> None:
        """Seek to these offsets, as far as the partitions are still assigned."""
        await self._consumer.rewind(offsets)

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        """Commit the offsets of stored checkpoints, for lag tools."""
        await self._consumer._thread.commit_quietly(offsets)

    async def committed(self, tps: set[TP]) -> Mapping[TP, int]:
        """Return the offsets committed by any worker of the group, of the partitions that have one."""
        return await self._consumer._thread.committed(tps)

    def read_to(self, tp: TP) -> tuple[int | None, int | None]:
        """Return the end of a partition and the epoch ms at which it was seen; None if unknown."""
        return self._consumer._thread.read_to(tp)

    @property
    def _consumer(self) -> Consumer:
        return cast(Consumer, self._app.consumer)
