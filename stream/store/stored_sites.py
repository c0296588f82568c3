"""The sites of a stored state, with the number of series of each."""

from typing import Any

import msgspec

from stream.counters.segments import series_name
from stream.store.inventory import FoundState
from stream.store.keys import ShardKeys

_AT_ONCE = 5_000
_SEGMENT = b'["g",'
_decode = msgspec.json.Decoder(list[str]).decode


async def stored_sites(client: Any, state: FoundState) -> dict[str, int]:
    """Return site → its number of series in all shards."""
    sites: dict[str, int] = {}
    for partition in sorted(state.shards):
        key, cursor = ShardKeys(state.name, partition).names, 0
        while True:
            answer = await client.execute_command("HSCAN", key, cursor, "COUNT", _AT_ONCE)
            cursor = int(answer[0])
            for raw in answer[1].values():
                _count(sites, raw)
            if not cursor:
                break
    return dict(sorted(sites.items()))


def _count(sites: dict[str, int], raw: bytes) -> None:
    if raw.startswith(_SEGMENT):
        sites.setdefault(_decode(raw)[1], 0)
    elif (series := series_name(raw)) is not None:
        site = series[1][0]
        sites[site] = sites.get(site, 0) + 1
