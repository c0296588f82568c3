"""The log as the owner of shards needs it, through Faust's consumer."""

from collections.abc import Mapping
from typing import cast

from faust import App
from faust.types import TP

from stream.kafka.transport import Consumer


class FaustLog:
    """Offsets, seeks and commits of the running app's consumer."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def bounds(self, tps: set[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        """First and next offsets of partitions."""
        consumer = self._consumer
        return await consumer.earliest_offsets(*tps), await consumer.highwaters(*tps)

    async def rewind(self, offsets: Mapping[TP, int]) -> None:
        """Read on from these offsets."""
        await self._consumer.rewind(offsets)

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        """Tell lag tools how far the cuts are."""
        await self._consumer._thread.commit_quietly(offsets)

    def read_to(self, tp: TP) -> tuple[int | None, int | None]:
        """(end of the log, epoch ms at which that was seen); None while unknown."""
        return self._consumer._thread.read_to(tp)

    @property
    def _consumer(self) -> Consumer:
        return cast(Consumer, self._app.consumer)
