"""`engage state remove`: removes a site, a generation that is not live, or a whole app."""

import asyncio
import sys
from typing import Any, NamedTuple

import click

from agents.commands.state.list_states import FIRST, note_progress, size
from stream.engine.checkpoint import READ_VERSIONS
from stream.settings.application import Settings
from stream.store.connection import connect_patiently
from stream.store.holding import Hold, StateOwnedError, check_unowned
from stream.store.inventory import FoundApp, FoundState, find_apps, measure
from stream.store.keys import ShardKeys
from stream.store.removal import hold_state, remove_app, remove_state
from stream.store.site_removal import SiteRemoval
from stream.store.stored_meta import alive_seconds
from stream.store.stored_sites import stored_sites


class Removal(NamedTuple):
    """One thing to remove: exactly one field is set."""

    site: str | None = None
    generation: str | None = None
    app: str | None = None

    @property
    def command(self) -> str:
        """The command line after `engage state`, by which workers and people know the removal."""
        [(option, value)] = [(k, v) for k, v in self._asdict().items() if v is not None]
        return f"remove --{option} {value}"


class CannotRemoveError(Exception):
    """The removal is refused; the message says why, and what to do."""


def run_remove(settings: Settings, removal: Removal, *, yes: bool, dry_run: bool) -> int:
    """Remove after a confirmation; 1 with a message if it is refused."""
    try:
        return asyncio.run(_run(settings, removal, yes, dry_run))
    except (CannotRemoveError, StateOwnedError) as error:
        print(f"engage: {error}", file=sys.stderr)
        return 1


async def _run(settings: Settings, removal: Removal, yes: bool, dry_run: bool) -> int:
    client = connect_patiently(settings)
    try:
        app, states = await _chosen(client, settings, removal)
        await _describe(client, states, removal)
        if dry_run:
            print("nothing is removed: --dry-run")
            return 0
        for state in states:
            await check_unowned(client, state, note_progress, alive_seconds(settings))
        if not yes and not click.confirm("Remove it for ever?"):
            print("nothing is removed")
            return 1
        await _remove(client, app, states, removal)
        print("removed")
        return 0
    finally:
        await client.aclose()


async def _chosen(
    client: Any, settings: Settings, removal: Removal
) -> tuple[FoundApp, list[FoundState]]:
    """Find the states that the removal changes. Raises CannotRemoveError."""
    name = removal.app or settings.app
    app = (await find_apps(client, note_progress, name)).get(name)
    if app is None:
        raise CannotRemoveError(f"app {name!r} has nothing in this Redis; see `engage state list`")
    if removal.app is not None:
        return app, list(app.states.values())
    wanted = app.live
    if removal.generation is not None:
        wanted = "" if removal.generation == FIRST else removal.generation
    state = app.states.get(wanted)
    if state is None:
        raise CannotRemoveError(
            f"app {name!r} has no generation {wanted or FIRST}; see `engage state list`"
        )
    if removal.generation is not None and wanted == app.live:
        raise CannotRemoveError(
            f"generation {wanted or FIRST} is live: the workers count in it. `engage state remove "
            f"--app {name}` removes the whole app"
        )
    if removal.site is not None:
        await _check_site(client, state, removal)
    return app, [state]


async def _check_site(client: Any, state: FoundState, removal: Removal) -> None:
    versions = {meta.version for meta in state.metas}
    if versions - {*READ_VERSIONS}:
        raise CannotRemoveError(
            f"{state.name} was stored with version = {', '.join(sorted(versions))}, and this command "
            f"reads {', '.join(READ_VERSIONS)}; use the command of the workers' version"
        )
    # A repetition finds the names of the site gone from the shards that are done.
    is_begun = any(meta.held == removal.command for meta in state.metas)
    sites = await stored_sites(client, state)
    if removal.site not in sites and not is_begun:
        listed = ", ".join(sites) or "none"
        raise CannotRemoveError(f"no site {removal.site!r} is stored; stored are: {listed}")


async def _describe(client: Any, states: list[FoundState], removal: Removal) -> None:
    """Print what would go."""
    await measure(client, states, note_progress)
    for state in states:
        sites = await stored_sites(client, state)
        shards = len(state.shards)
        if removal.site is not None:
            series = sites.get(removal.site, 0)
            print(
                f"{state.app}, generation {state.generation or FIRST}: site {removal.site}, "
                f"{series:,} series in {shards} shards, with its people and sessions"
            )
            continue
        waiting = 0
        for partition in state.shards:
            key = ShardKeys(state.name, partition).ledger
            waiting += int(await client.execute_command("HLEN", key))
        lost = (
            f", dead letters of {waiting} checkpoints that Kafka does not have" if waiting else ""
        )
        print(
            f"{state.app}, generation {state.generation or FIRST}: {state.key_count:,} keys of "
            f"{shards} shards, about {size(state.bytes)}, {len(sites)} sites{lost}"
        )


async def _remove(client: Any, app: FoundApp, states: list[FoundState], removal: Removal) -> None:
    what = removal.command
    if removal.app is not None:
        await remove_app(client, app, what, note_progress)
        return
    [state] = states
    if removal.generation is not None:
        await remove_state(client, state, await hold_state(client, state, what), note_progress)
        return
    assert removal.site is not None
    hold = Hold(client, state.name, what)
    await hold.take(p for p, shard in sorted(state.shards.items()) if shard.meta is not None)
    await SiteRemoval(client, state, removal.site, hold, note_progress).run()
    await hold.release()
