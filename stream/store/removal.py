"""Removes a whole state: all keys of one generation, so that a repetition finishes what was interrupted."""

from typing import Any

from stream.store import keys
from stream.store.holding import Hold
from stream.store.inventory import FoundApp, FoundState, Note, find_apps
from stream.store.keys import ShardKeys


async def remove_app(client: Any, app: FoundApp, what: str, note: Note) -> None:
    """Remove every generation of an app, and what it has published. Raises StateOwnedError."""
    states = app.states.values()
    holds = {state.generation: await hold_state(client, state, what) for state in states}
    # First: a worker that starts meanwhile begins in a state of its own, or is refused.
    await client.execute_command("UNLINK", keys.generation(app.app))
    # The live state last: until then a repetition finds which one it is.
    for state in sorted(states, key=lambda state: state.generation == app.live):
        await remove_state(client, state, holds[state.generation], note)
        if state.published:
            await client.execute_command("UNLINK", *state.published)


async def hold_state(client: Any, state: FoundState, what: str) -> Hold:
    """Hold all shards of a state, whatever is left of them."""
    hold = Hold(client, state.name, what)
    await hold.take(sorted(state.shards), "force")
    return hold


async def remove_state(client: Any, state: FoundState, hold: Hold, note: Note) -> None:
    """Remove a held state: the keys of its shards, then what it has published, then the holds."""
    metas = {p: ShardKeys(state.name, p).meta for p in sorted(state.shards)}
    done = 0
    for partition, meta in metas.items():
        found = state.shards[partition].keys
        await hold.unlink(partition, [key for key in found if key != meta])
        done += len(found)
        note(f"{state.name}: removed {done:,} of {state.key_count:,} keys")
    # Keys that the owner stored between the search and the hold.
    again = await _found_again(client, state)
    for partition, meta in metas.items():
        await hold.unlink(partition, [key for key in again.get(partition, ()) if key != meta])
    await client.execute_command("UNLINK", *keys.published(state.name))
    for partition, meta in metas.items():
        await hold.unlink(partition, [meta])


async def _found_again(client: Any, state: FoundState) -> dict[int, list[str]]:
    apps = await find_apps(client, lambda _: None, state.app)
    again = apps[state.app].states.get(state.generation) if state.app in apps else None
    return {p: shard.keys for p, shard in again.shards.items()} if again else {}
