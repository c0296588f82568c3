"""The protocols by which a worker uses Kafka's log."""

from collections.abc import Mapping
from typing import Protocol

from faust.types import TP


class Bounds(Protocol):
    """Offsets at which partitions begin and end."""

    async def bounds(self, tps: set[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        """Return the first and the next offset of each partition."""


class Log(Bounds, Protocol):
    """The log of all input topics, read by one consumer."""

    async def rewind(self, offsets: Mapping[TP, int]) -> None:
        """Seek to these offsets, as far as the partitions are still assigned."""

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        """Commit the offsets of stored checkpoints, for lag tools."""

    async def committed(self, tps: set[TP]) -> Mapping[TP, int]:
        """Return the offsets committed by any worker of the group, of the partitions that have one."""

    def read_to(self, tp: TP) -> tuple[int | None, int | None]:
        """Return the end of a partition and the epoch ms at which it was seen; None if unknown."""
