"""Checks before a backfill: the workers count by the same settings, and no other backfill is under way."""

import asyncio
import sys
import time
from typing import Any

from agents.kafka_start import CannotStartError
from stream.configure.fingerprints import changes, fingerprints
from stream.settings.application import Settings
from stream.store.connection import redis_time
from stream.store.inventory import find_apps, standing
from stream.store.published import read_definitions
from stream.store.shards import Store
from stream.store.stored_meta import alive_seconds, is_alive

#: Changes of a metric that leave the counts as they are.
_HARMLESS = ("same", "formula")
_NAMED_MAX = 10
#: Workers that were restarted just now store their definitions within seconds.
_WAIT_SECONDS = 10.0


async def check_settings(client: Any, settings: Settings, live: Store, *, accepted: bool) -> None:
    """Raise CannotStartError if the workers count by other settings than these."""
    until = time.monotonic() + _WAIT_SECONDS
    while different := await _different(client, settings, live):
        if accepted:
            print(f"engage: {_sentence(different)}: accepted", file=sys.stderr)
            return
        if time.monotonic() >= until:
            raise CannotStartError(
                f"{_sentence(different)}. They would go on in the new counts by their own settings. "
                "Restart them with these settings first, or give the command theirs; "
                "--other-settings begins nevertheless"
            )
        await asyncio.sleep(0.5)


async def _different(client: Any, settings: Settings, live: Store) -> dict[str, str]:
    """Return the metrics that the workers count otherwise: name → change, by `engage plan`."""
    stored = await read_definitions(client, live)
    found = changes(stored, fingerprints(settings)) if stored else {}
    return {name: change for name, change in found.items() if change not in _HARMLESS}


def _sentence(different: dict[str, str]) -> str:
    names = [f"{name} ({change})" for name, change in sorted(different.items())]
    more = len(names) - _NAMED_MAX
    listed = ", ".join(names[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
    return f"the workers have other settings than this backfill, by `engage plan`: {listed}"


async def check_other_backfills(client: Any, settings: Settings) -> None:
    """Name the generations that killed backfills have left. Raises CannotStartError if one is filled now."""
    found = await find_apps(
        client, lambda text: print(f"engage: {text}", file=sys.stderr), settings.app
    )
    now, seconds = await redis_time(client), alive_seconds(settings)
    app = found.get(settings.app)
    if app is None:
        return
    for name, state in sorted(app.states.items()):
        if standing(app, state) != "unfinished":
            continue
        if any(is_alive(meta, now, seconds) for meta in state.metas):
            raise CannotStartError(
                f"another backfill stored counts in generation {name} just now; wait for it, or stop "
                f"it and run `engage state remove --generation {name}`"
            )
        print(
            f"engage: a backfill that was killed has left generation {name}, "
            f"{state.key_count:,} keys; remove it with `engage state remove --generation {name}`",
            file=sys.stderr,
        )
