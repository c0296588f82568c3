"""Removes one site from a held state: its people, sessions, counts and names; other sites stay as they are."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from stream.engine.checkpoint import read_stored
from stream.people.keys import split_key
from stream.publish.snapshot import Snapshot, decode_snapshot, encode_snapshot
from stream.store import keys
from stream.store.holding import Hold
from stream.store.inventory import FoundState, Note
from stream.store.keys import ShardKeys, is_frozen, parse_bucket

_AT_ONCE = 2_000
_SERIES, _SEGMENT_SET = "s", "p"
_FOLDED, _SETTLED = "folded", "settled"


class SiteRemoval:
    """One removal. Names go last: they say what belongs to the site, also to a repetition."""

    def __init__(self, client: Any, state: FoundState, site: str, hold: Hold, note: Note) -> None:
        self._client = client
        self._state = state
        self._site = site
        self._hold = hold
        self._note = note

    async def run(self) -> None:
        """Remove the site from every shard, then from the snapshot. Raises StateOwnedError."""
        shards = sorted(p for p, shard in self._state.shards.items() if shard.meta is not None)
        for number, partition in enumerate(shards, 1):
            found = self._state.shards[partition].keys
            await self._hold.unlink(partition, list(filter(is_frozen, found)))
            names = await self._names(partition)
            people = await self._remove_people(partition, names)
            await self._remove_sessions(partition)
            series = await self._remove_counts(partition, names)
            await self._hold.write(
                partition, "HDEL", ShardKeys(self._state.name, partition).names, sorted(names)
            )
            self._note(
                f"shard {number} of {len(shards)}: removed {people:,} people, {series:,} series"
            )
        await self._remove_published()

    async def _names(self, partition: int) -> dict[int, str]:
        """Return the names of the site: id → kind."""
        found: dict[int, str] = {}
        async for name_id, raw in self._scan(ShardKeys(self._state.name, partition).names):
            kind, *parts = _decode_name(raw)
            if parts[kind == _SERIES] == self._site:
                found[int(name_id)] = kind
        return found

    async def _remove_people(self, partition: int, names: Mapping[int, str]) -> int:
        key, count, gone = ShardKeys(self._state.name, partition).people, 0, []
        async for field, raw in self._scan(key):
            if registry_id(_decode_person(raw)) in names:
                gone.append(field)
            if len(gone) >= _AT_ONCE:
                await self._hold.write(partition, "HDEL", key, gone)
                count, gone = count + len(gone), []
        await self._hold.write(partition, "HDEL", key, gone)
        return count + len(gone)

    async def _remove_sessions(self, partition: int) -> None:
        shard, gone, still_open = ShardKeys(self._state.name, partition), [], 0
        async for person, value in self._scan(shard.opened):
            if split_key(person.decode())[0] == self._site:
                gone.append(person)
            else:
                still_open += int(value.split(b";")[1])
        await self._hold.write(partition, "HDEL", shard.opened, gone)
        raw = await self._client.execute_command("HGET", shard.meta, "state")
        if raw:
            stored = msgspec.structs.replace(read_stored(raw), open_sessions=still_open)
            state = msgspec.msgpack.encode(stored)
            await self._hold.write(partition, "HSET", shard.meta, ["state", state])

    async def _remove_counts(self, partition: int, names: Mapping[int, str]) -> int:
        shard = ShardKeys(self._state.name, partition)
        series = sorted(name_id for name_id, kind in names.items() if kind == _SERIES)
        buckets = await self._client.execute_command("ZRANGE", shard.changed, 0, -1)
        for name in buckets:
            await self._hold.write(
                partition, "HDEL", shard.bucket(parse_bucket(name.decode())), series
            )
        return len(series)

    async def _remove_published(self) -> None:
        """Rewrite the snapshot without the site: its totals would be published for ever."""
        key = keys.snapshot(self._state.name)
        raw = await self._client.execute_command("GET", key)
        if raw:
            rest = encode_snapshot(without_site(decode_snapshot(raw), self._site))
            await self._client.execute_command("SET", key, rest)

    async def _scan(self, key: str) -> Any:
        cursor = 0
        while True:
            answer = await self._client.execute_command("HSCAN", key, cursor, "COUNT", _AT_ONCE)
            cursor = int(answer[0])
            for pair in answer[1].items():
                yield pair
            if not cursor:
                break


def registry_id(fields: list[Any]) -> int | None:
    """Return the id of a segment or a segment set that a packed person refers to; None without any.

    All that a person refers to is of one site.
    """
    active, live, sessions, clicked, subscriptions, history, _, hours = _padded(fields)
    for bitmaps in (active, clicked, live, hours):
        for ids, *_ in bitmaps:
            return int(ids[0])
    for session in sessions:
        return int(session[4])
    for event in subscriptions:
        found = event[3] if event[1] in (_FOLDED, _SETTLED) else event[6]
        if found is not None:
            return int(found)
    for entries in (history or {}).values():
        for entry in entries:
            return int(entry[1])
    return None


def without_site(snapshot: Snapshot, site: str) -> Snapshot:
    """Return a snapshot without the numbers of a site."""
    lists = ("gauges", "counts", "previous", "folded", "segment_counts")
    kept = {
        name: [number for number in getattr(snapshot, name) if number.site != site]
        for name in lists
    }
    return msgspec.structs.replace(snapshot, **kept)


def _padded(fields: Iterable[Any]) -> list[Any]:
    found = list(fields)
    return found + [[]] * (8 - len(found))


_decode_name = msgspec.json.Decoder(list[Any]).decode
_decode_person = msgspec.msgpack.Decoder(list[Any]).decode
