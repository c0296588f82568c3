"""`engage state copy`: copies the live state of an app to another app name."""

import asyncio
import sys
from typing import Any

from agents.commands.state.list_states import note_progress
from stream.settings.application import Settings
from stream.store.connection import connect_patiently
from stream.store.holding import Hold, StateOwnedError, check_unowned
from stream.store.inventory import FoundApp, FoundState, find_apps, is_app_name
from stream.store.removal import remove_app
from stream.store.state_copy import StateCopy, StateMovingError
from stream.store.stored_meta import alive_seconds


class CannotCopyError(Exception):
    """The copy is refused; the message says why, and what to do."""


def run_copy(settings: Settings, target: str) -> int:
    """Copy the state of the settings' app to `target`; 1 with a message if it is refused."""
    try:
        asyncio.run(_run(settings, target))
    except (CannotCopyError, StateOwnedError, StateMovingError) as error:
        print(f"engage: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(settings: Settings, target: str) -> None:
    if not is_app_name(target):
        raise CannotCopyError(
            f"{target!r} is no name of an app: it takes 1 to 64 of a-z, 0-9, '_', '.' and '-', begins "
            "with a letter or a digit, and does not end like a generation"
        )
    client = connect_patiently(settings)
    what = f"copy {target}"
    try:
        source = await _source(client, settings.app)
        await _clear_target(client, settings, target, what)
        partitions = sorted(p for p, s in source.shards.items() if s.meta is not None)
        hold = Hold(client, target, what)
        await hold.take(partitions, "new")
        await StateCopy(client, source, target, hold, note_progress).run()
        await hold.release()
    finally:
        await client.aclose()
    print(f"{source.name} is copied to {target}: {len(partitions)} shards. No worker owns the copy")


async def _source(client: Any, name: str) -> FoundState:
    app = (await find_apps(client, note_progress, name)).get(name)
    state = app.live_state if app else None
    if state is None:
        raise CannotCopyError(f"app {name!r} has no state in this Redis; see `engage state list`")
    for meta in state.metas:
        if meta.held:
            raise CannotCopyError(
                f"app {name!r} is being changed by `engage state {meta.held}`; finish that first"
            )
    return state


async def _clear_target(client: Any, settings: Settings, target: str, what: str) -> None:
    """Remove what an interrupted copy to this target has left. Raises CannotCopyError if there is more."""
    app = (await find_apps(client, note_progress, target)).get(target)
    if app is None:
        return
    if not _is_broken_off(app, what):
        raise CannotCopyError(
            f"app {target!r} exists; choose another name, or remove it with `engage state remove "
            f"--app {target}`"
        )
    for state in app.states.values():
        await check_unowned(client, state, note_progress, alive_seconds(settings))
    await remove_app(client, app, what, note_progress)


def _is_broken_off(app: FoundApp, what: str) -> bool:
    return any(meta.held == what for state in app.states.values() for meta in state.metas)
