"""The series of one stored shard by column: which fields of a bucket a column is."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from stream.counters.segments import series_name
from stream.metrics.additive import base_of
from stream.publish.merged_counts import SegmentKey
from stream.publish.query import Column
from stream.store.connection import RedisClient

#: (id of the series, its measure, its segment)
Series = tuple[int, str, SegmentKey]
_AT_ONCE = 5_000


class SeriesIndex:
    """Names of a shard's series. Names are only added while one worker owns the shard."""

    def __init__(self, client: RedisClient, key: str) -> None:
        self._client = client
        self._key = key
        self._series: dict[tuple[str, str, str], list[Series]] = {}
        self._texts: dict[str, str] = {}
        self._highest = 0
        #: Number of names that are known, also of other things than series.
        self._known = 0

    async def renew(self) -> None:
        """Read the names that are new since the last call."""
        stored = await self._client.execute_command("HLEN", self._key)
        more = stored - self._known
        if more <= 0:
            return
        if self._known and more <= _AT_ONCE:
            wanted = range(self._highest + 1, self._highest + 1 + more)
            found = await self._client.execute_command("HMGET", self._key, *wanted)
            if all(found):
                self._add(dict(zip(wanted, found, strict=True)))
                return
        await self._read_all()

    def of(self, column: Column) -> list[Series]:
        """Return the series of a column."""
        found = self._series.get((column.measure, column.site, column.dimension), [])
        if column.value is None:
            return found
        return [one for one in found if one[2][2] == column.value]

    async def _read_all(self) -> None:
        names: dict[int, bytes] = {}
        cursor = 0
        while True:
            answer = await self._client.execute_command(
                "HSCAN", self._key, cursor, "COUNT", _AT_ONCE
            )
            cursor = int(answer[0])
            names |= {int(name_id): raw for name_id, raw in _pairs(answer[1])}
            if not cursor:
                break
        self._series, self._known, self._highest = {}, 0, 0
        await asyncio.to_thread(self._add, names)

    def _add(self, names: dict[int, bytes]) -> None:
        self._known += len(names)
        self._highest = max(self._highest, max(names, default=0))
        text = self._texts.setdefault
        for name_id, raw in names.items():
            name = series_name(raw)
            if name is not None:
                measure, (site, dimension, value) = name
                segment = text(site, site), text(dimension, dimension), text(value, value)
                column = text(base := base_of(measure), base), segment[0], segment[1]
                series = name_id, text(measure, measure), segment
                self._series.setdefault(column, []).append(series)


def _pairs(answer: Any) -> Iterator[tuple[bytes, bytes]]:
    if isinstance(answer, dict):
        yield from answer.items()
    else:
        parts: Iterable[bytes] = iter(answer)
        yield from zip(parts, parts, strict=True)
