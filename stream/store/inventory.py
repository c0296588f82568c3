"""Everything that all apps have stored in this Redis, found by SCAN: states, shards, keys, sizes."""

import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio.cluster import RedisCluster

from stream.store import keys
from stream.store.state_scripts import MEMORY_USAGE
from stream.store.stored_meta import StoredMeta, read_meta

_AT_ONCE = 1_000
#: Keys in one script call that measures them: Redis does nothing else for about a millisecond.
_MEASURED_AT_ONCE = 200
_NOTE_SECONDS = 2.0
_KEY = re.compile(r"\{engage:([a-z0-9][a-z0-9_.-]*)(?::([0-9]+))?\}:(.+)", re.DOTALL)
#: A backfill names its generation after the epoch second at which it began.
_GENERATION = re.compile(r"(.+)\.(g[0-9]{9,})")

#: Takes a line about the progress of long work.
Note = Callable[[str], None]


@dataclass(slots=True)
class ShardKeysFound:
    """The keys of one stored shard; `meta` is None if only other keys are left of it."""

    keys: list[str] = field(default_factory=list)
    meta: StoredMeta | None = None


@dataclass(slots=True)
class FoundState:
    """One generation of an app's state."""

    app: str
    #: "" is the first.
    generation: str
    shards: dict[int, ShardKeysFound] = field(default_factory=dict)
    #: Keys of the app or generation as a whole: snapshot, publisher, definitions, pointer.
    published: list[str] = field(default_factory=list)
    bytes: int = 0

    @property
    def name(self) -> str:
        """The name that stands for the app in the keys."""
        return keys.state_name(self.app, self.generation)

    @property
    def key_count(self) -> int:
        """Number of keys, published ones included."""
        return len(self.published) + sum(len(shard.keys) for shard in self.shards.values())

    @property
    def metas(self) -> list[StoredMeta]:
        """Meta hashes of the shards that have one, in order."""
        return [shard.meta for _, shard in sorted(self.shards.items()) if shard.meta is not None]


@dataclass(slots=True)
class FoundApp:
    """An app in this Redis: its generations by name, and which of them the workers count in."""

    app: str
    live: str
    states: dict[str, FoundState] = field(default_factory=dict)

    @property
    def live_state(self) -> FoundState | None:
        """The state that the workers count in; None if no shard of it is stored."""
        state = self.states.get(self.live)
        return state if state is not None and state.metas else None


async def find_apps(client: Any, note: Note, only: str | None = None) -> dict[str, FoundApp]:
    """Return the apps by name, or `only` one; reads metas, and measures nothing yet."""
    states = await _find_states(client, note, only)
    apps: dict[str, FoundApp] = {}
    for state in states.values():
        if not state.shards and state.published == [keys.generation(state.app)]:
            # Only the pointer to a later generation.
            continue
        if state.app not in apps:
            live = await client.execute_command("GET", keys.generation(state.app))
            apps[state.app] = FoundApp(state.app, live.decode() if live else "")
        apps[state.app].states[state.generation] = state
        for partition, shard in state.shards.items():
            key = keys.ShardKeys(state.name, partition).meta
            shard.meta = await read_meta(client, key)
    return dict(sorted(apps.items()))


def is_app_name(name: str) -> bool:
    """Whether an app may have this name, and its keys are not those of another's generation."""
    is_name = _KEY.fullmatch(f"{{engage:{name}}}:x") is not None and ":" not in name
    return is_name and len(name) <= 64 and _GENERATION.fullmatch(name) is None


async def measure(client: Any, states: Iterable[FoundState], note: Note) -> None:
    """Add up the bytes of each state's keys, as Redis estimates them from samples of each key."""
    found = list(states)
    total, done, noted_at = sum(state.key_count for state in found), 0, time.monotonic()
    for state in found:
        for slot in (state.published, *(shard.keys for shard in state.shards.values())):
            for first in range(0, len(slot), _MEASURED_AT_ONCE):
                part = slot[first : first + _MEASURED_AT_ONCE]
                state.bytes += int(await MEMORY_USAGE.run(client, part))
                done += len(part)
                if time.monotonic() - noted_at >= _NOTE_SECONDS:
                    note(f"measured {done:,} of {total:,} keys")
                    noted_at = time.monotonic()


async def scan_keys(client: Any, pattern: str) -> AsyncIterator[list[bytes]]:
    """Yield the keys of this pattern, some at a time, from every server that holds any."""
    nodes = [client]
    if isinstance(client, RedisCluster):
        await client.initialize()
        nodes = client.get_primaries()
    for node in nodes:
        cursor = 0
        while True:
            answer = await node.execute_command("SCAN", cursor, "MATCH", pattern, "COUNT", _AT_ONCE)
            cursor = int(answer[0])
            yield answer[1]
            if not cursor:
                break


async def _find_states(client: Any, note: Note, only: str | None) -> dict[str, FoundState]:
    states: dict[str, FoundState] = {}
    seen: set[bytes] = set()
    noted_at = time.monotonic()
    async for batch in scan_keys(client, f"{{engage:{only or ''}*"):
        for raw in batch:
            # SCAN may return a key twice.
            if raw not in seen:
                seen.add(raw)
                _add(states, raw.decode(errors="replace"), only)
        if time.monotonic() - noted_at >= _NOTE_SECONDS:
            note(f"found {len(seen):,} keys")
            noted_at = time.monotonic()
    return states


def _add(states: dict[str, FoundState], key: str, only: str | None) -> None:
    parsed = _KEY.fullmatch(key)
    if parsed is None:
        return
    name, partition, _ = parsed.groups()
    later = _GENERATION.fullmatch(name)
    app, generation = later.groups() if later else (name, "")
    if only is not None and app != only:
        return
    state = states.setdefault(name, FoundState(app, generation))
    if partition is None:
        state.published.append(key)
    else:
        state.shards.setdefault(int(partition), ShardKeysFound()).keys.append(key)


def standing(app: FoundApp, state: FoundState) -> str:
    """Return live, old, or unfinished: a generation whose backfill has not made it live."""
    if state.generation == app.live:
        return "live"
    return "unfinished" if _began(state.generation) > _began(app.live) else "old"


def _began(generation: str) -> int:
    return int(generation[1:]) if generation[1:].isdecimal() else 0
