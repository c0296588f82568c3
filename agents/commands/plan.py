"""`engage plan`: what the present configuration would keep, recount or drop of what is stored."""

import asyncio
import json
import sys
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from stream.configure.fingerprints import Change, Fingerprint, changes, fingerprints
from stream.settings.application import Settings
from stream.store.connection import connect_redis
from stream.store.published import read_definitions
from stream.store.shards import Store

_MEANING: dict[Change, str] = {
    "same": "kept",
    "formula": "computed anew from the counts that are kept, history included",
    "counting": "counted in the new way from now on; `engage backfill` recounts its history",
    "new": "counted from now on; `engage backfill` gives it history",
    "dropped": "no longer published; its counts stay until they are too old",
}


def run_plan(settings: Settings, format: str) -> int:
    """Print the plan; nothing is changed. 0 also when there is nothing to do."""
    stored, wanted = asyncio.run(_stored(settings)), fingerprints(settings)
    found = changes(stored, wanted)
    if format == "json":
        rows = [
            {"metric": name, "change": change, "counted_since": _since(stored.get(name))}
            for name, change in found.items()
        ]
        print(json.dumps(rows, indent=2))
        return 0
    if not stored:
        print("nothing is stored yet: everything is counted from the beginning of the log")
        return 0
    _print_table(found, stored)
    return 0


async def _stored(settings: Settings) -> dict[str, Fingerprint]:
    redis = connect_redis(settings)
    try:
        store = Store(redis, settings.app, "plan", settings.topics.partitions)
        store.generation = await store.live_generation()
        return await read_definitions(redis, store)
    finally:
        await redis.aclose()


def _since(fingerprint: Fingerprint | None) -> str | None:
    if fingerprint is None:
        return None
    if not fingerprint.since_ms:
        return "the beginning"
    return datetime.fromtimestamp(fingerprint.since_ms / 1000, UTC).isoformat(timespec="seconds")


def _print_table(found: dict[str, Change], stored: dict[str, Fingerprint]) -> None:
    table = Table("metric", "change", "counted since", "what happens", box=None)
    for name, change in found.items():
        since = _since(stored.get(name))
        if change != "same" or since != "the beginning":
            table.add_row(name, change, since or "–", _MEANING[change])
    if table.row_count:
        Console(file=sys.stdout).print(table)
    kept = sum(change == "same" for change in found.values())
    print(f"{kept} of {len(found)} metrics are kept as they are")
