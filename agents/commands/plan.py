"""`engage plan`: print what the present configuration keeps, recounts or drops of what is stored."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Column, Table

from stream.configure.fingerprints import Change, Fingerprint, changes, fingerprints
from stream.settings.application import Settings
from stream.store.connection import connect_redis
from stream.store.published import read_definitions
from stream.store.shards import Store

_MEANING: dict[Change, str] = {
    "same": "kept",
    "unknown": "stored by another version; can be compared after the first start of this one",
    "formula": "recomputed from the stored counts, history included",
    "segments": "kept for whole sites; segments are counted in the new way from now on, "
    "`engage backfill` recounts their history",
    "counting": "counted in the new way from now on; `engage backfill` recounts its history",
    "new": "counted from now on; `engage backfill` gives it history",
    "dropped": "no longer published; its counts stay until they are too old",
}


def run_plan(settings: Settings, format: str) -> int:
    """Print the plan and return 0. Nothing is changed."""
    stored, wanted = asyncio.run(_stored(settings)), fingerprints(settings)
    found = changes(stored, wanted)
    print(as_json(found, stored) if format == "json" else as_text(found, stored))
    return 0


def as_json(found: Mapping[str, Change], stored: Mapping[str, Fingerprint]) -> str:
    """Return the plan as a JSON list with an object for each metric."""
    rows = [
        {"metric": name, "change": change, "counted_since": _since(stored.get(name))}
        for name, change in found.items()
    ]
    return json.dumps(rows, indent=2)


def as_text(found: Mapping[str, Change], stored: Mapping[str, Fingerprint]) -> str:
    """Return the plan for a terminal: a row for each metric that changes or began late, then sums."""
    if not stored:
        return "nothing is stored yet: everything is counted from the beginning of the log"
    table = Table(
        Column("metric", no_wrap=True), "change", "counted since", "what happens", box=None
    )
    for name, change in found.items():
        since = _since(stored.get(name))
        if change != "unknown" and (change != "same" or since != "the beginning"):
            table.add_row(name, change, since or "–", _MEANING[change])
    console = Console(file=sys.stdout)
    with console.capture() as captured:
        if table.row_count:
            console.print(table)
    count = Counter(found.values())
    lines = [f"{count['same']} of {len(found)} metrics are kept as they are"]
    if count["unknown"]:
        lines.append(
            f"{count['unknown']} of {len(found)} metrics were stored by another version: whether they "
            "change is unknown.\nStart a worker of this version with the settings that the workers have "
            "now; after that, `engage plan` can compare them."
        )
    return captured.get() + "\n".join(lines)


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
