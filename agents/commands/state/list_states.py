"""`engage state list`: prints what all apps have stored in this Redis."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from agents.commands.terminal import terminal
from stream.settings.application import Settings
from stream.store.connection import connect_patiently, redis_time
from stream.store.inventory import FoundApp, FoundState, find_apps, measure, standing
from stream.store.stored_meta import StoredMeta
from stream.store.stored_sites import stored_sites

_UNITS = ("B", "kB", "MB", "GB", "TB")
#: Name of the generation before any backfill, in commands.
FIRST = "first"
_SAMPLED = "Sizes are Redis' own estimates: of a large key it samples some entries."


def run_state_list(settings: Settings, format: str, by_site: bool) -> int:
    """Print every state and return 0; changes nothing."""
    rows = asyncio.run(_rows(settings))
    if format == "json":
        print(json.dumps(rows, indent=2))
    elif not rows:
        print(f"Redis at {settings.redis.url} holds no state of any app")
    elif by_site:
        _print_sites(rows)
    else:
        _print_states(rows)
    return 0


def note_progress(text: str) -> None:
    """Print a line about the progress of long work."""
    print(f"engage: {text}", file=sys.stderr)


async def _rows(settings: Settings) -> list[dict[str, Any]]:
    client = connect_patiently(settings)
    try:
        apps = await find_apps(client, note_progress)
        states = [state for app in apps.values() for state in app.states.values()]
        await measure(client, states, note_progress)
        now = await redis_time(client)
        return [
            _row(app, state, await stored_sites(client, state), now)
            for app in apps.values()
            for _, state in sorted(app.states.items())
        ]
    finally:
        await client.aclose()


def _row(app: FoundApp, state: FoundState, sites: dict[str, int], now: float) -> dict[str, Any]:
    metas = state.metas
    stored = [meta.stored_at for meta in metas if meta.stored_at is not None]
    marks = [meta.watermark_ms for meta in metas if meta.watermark_ms is not None]
    return {
        "app": app.app,
        "generation": state.generation,
        "standing": standing(app, state),
        "held": sorted({meta.held for meta in metas if meta.held}),
        "shards": len(metas),
        "partitions": _one_of(metas, "partitions"),
        "sites": sites,
        "keys": state.key_count,
        "bytes_sampled": state.bytes,
        "owners": sorted({meta.owner for meta in metas if meta.owner}),
        "last_checkpoint_seconds_ago": round(now - max(stored), 1) if stored else None,
        "counted_to": _iso(min(marks)) if marks else None,
        "version": _one_of(metas, "version"),
        "cluster": _one_of_raw(metas, b"cluster"),
    }


def _one_of(metas: list[StoredMeta], field: str) -> str:
    return ", ".join(sorted({getattr(meta, field) for meta in metas} - {""}))


def _one_of_raw(metas: list[StoredMeta], field: bytes) -> str:
    return ", ".join(sorted({meta.raw[field].decode() for meta in metas if field in meta.raw}))


def _print_states(rows: list[dict[str, Any]]) -> None:
    names = ("app", "generation", "", "shards", "sites", "keys", "size", "checkpoint", "version")
    columns = [Column(name, no_wrap=name != "app", overflow="fold") for name in names]
    table = Table(*columns, Column("owner", overflow="fold"), box=None, pad_edge=False)
    for row in rows:
        owners = row["owners"]
        cells = (
            row["app"],
            row["generation"] or FIRST,
            "held" if row["held"] else row["standing"],
            f"{row['shards']} of {row['partitions'] or '?'}",
            f"{len(row['sites']):,}",
            f"{row['keys']:,}",
            size(row["bytes_sampled"]),
            _age(row["last_checkpoint_seconds_ago"]),
            row["version"] or "–",
            ", ".join(owners) if len(owners) < 2 else f"{len(owners)} owners",
        )
        table.add_row(*map(Text, cells))
    console = terminal()
    console.print(table)
    console.print(_SAMPLED)
    for row in rows:
        for held in row["held"]:
            console.print(f"{row['app']}: workers wait until `engage state {held}` is finished.")
    if any(row["standing"] != "live" and row["shards"] for row in rows):
        console.print("Remove what is not live with `engage state remove --generation NAME`.")


def _print_sites(rows: list[dict[str, Any]]) -> None:
    table = Table("app", "generation", "site", "series", box=None, pad_edge=False)
    for row in rows:
        for site, series in row["sites"].items():
            name = row["generation"] or FIRST
            table.add_row(Text(row["app"]), Text(name), Text(site), f"{series:,}")
    terminal().print(table)


def size(bytes_: int) -> str:
    """Return a size for people."""
    number, unit = float(bytes_), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.0f} {_UNITS[unit]}" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    for length, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds")
