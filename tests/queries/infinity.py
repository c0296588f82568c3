"""Grafana's Infinity plugin as its documentation describes it: the request and table of a panel's query.

It replaces the macros of the time range, requests the address of the data source with the panel's
parameters, takes the list at the root selector, and one field for each column.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "infinity"
_MACRO = re.compile(r"\$\{__time(From|To)(:date(?::(iso|seconds))?)?\}")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
#: Requests an address; returns the body.
Get = Callable[[str], Awaitable[str]]


def source() -> dict[str, Any]:
    """Return the provisioned data source."""
    (found,) = yaml.safe_load((FOLDER / "datasource.yml").read_text("utf-8"))["datasources"]
    return dict(found)


def panels() -> dict[str, dict[str, Any]]:
    """Return the panels of the shipped dashboard by title."""
    dashboard = json.loads((FOLDER / "engagement-history.json").read_text("utf-8"))
    return {panel["title"]: panel for panel in dashboard["panels"]}


def interpolated(text: str, from_ms: int, to_ms: int, variables: Mapping[str, str]) -> str:
    """Replace the macros of the time range, then the variables of the dashboard."""

    def moment(found: re.Match[str]) -> str:
        time_ms = from_ms if found[1] == "From" else to_ms
        if not found[2]:
            return str(time_ms)
        if found[3] == "seconds":
            return str(time_ms // 1000)
        at = datetime.fromtimestamp(time_ms / 1000, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return _VARIABLE.sub(lambda found: variables[found[1]], _MACRO.sub(moment, text))


async def table(
    panel: Mapping[str, Any], get: Get, from_ms: int, to_ms: int, **variables: str
) -> list[dict[str, Any]]:
    """Return the rows that a panel gets: text of a column → value."""
    (target,) = panel["targets"]
    assert (target["type"], target["source"], target["parser"]) == ("json", "url", "backend")
    options = target["url_options"]
    assert options["method"] == "GET"
    given = [
        (one["key"], interpolated(one["value"], from_ms, to_ms, variables))
        for one in options["params"]
    ]
    body = json.loads(await get(f"{target['url']}?{urlencode(given)}"))
    for name in filter(None, target["root_selector"].split(".")):
        body = body[name]
    return [{one["text"]: _field(row, one) for one in target["columns"]} for row in body]


def _field(row: Any, column: Mapping[str, str]) -> Any:
    for name in column["selector"].split("."):
        row = row[name]
    if column["type"] == "timestamp":
        return datetime.fromisoformat(row)
    assert row is None or isinstance(row, {"number": (int, float), "string": str}[column["type"]])
    return row
