"""A shop's half year, replayed in some hours, and its numbers as the series that rules read."""

import gzip
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from schemas.outputs import MetricRecord
from tests.alerting.promtool import alerts, part_for, run, tool
from tests.grafana.shipped import CHOSEN, filled, panels

MINUTE = 60
_HERE = 'job="engagement",instance="w1",site="default"'
CONVERSION = f'engagement_session_conversion_ratio{{{_HERE},window="trailing_1h"}}'
SESSIONS = f"engagement_viewed_sessions_total{{{_HERE}}}"
#: Series name → one value a minute; None without a value.
Input = Mapping[str, list[float | None]]


class Shop:
    """Events of the shop, moved to the hours before now: the same sessions of a busier shop."""

    def __init__(self, file: Path, faster: int) -> None:
        """Read the file; all times are divided by `faster`, in the same order."""
        with gzip.open(file) as source:
            self._events = [json.loads(line) for line in source]
        times = [_seconds(event["event_time"]) for event in self._events]
        self._began = min(times)
        self._faster = faster
        self.minutes = int((max(times) - self._began) / faster / MINUTE) + 2
        #: Sessions with a page view.
        self.sessions = len({e["session_id"] for e in self._events if e["type"] == "page_view"})
        #: Start of the moved events: a whole minute, early enough for all of them to be past.
        self.start = (int(time.time()) // MINUTE - self.minutes - 5) * MINUTE

    def minute(self, day: str) -> int:
        """Return the minute after the start at which a day of the shop begins."""
        return round((_seconds(f"{day}T00:00:00Z") - self._began) / self._faster / MINUTE)

    def events(self) -> Iterator[tuple[int, bytes]]:
        """Yield (minute, event), in the order of time."""
        times = [(_seconds(e["event_time"]) - self._began) / self._faster for e in self._events]
        moved = sorted((seconds, number) for number, seconds in enumerate(times))
        for seconds, number in moved:
            time_ms = round((self.start + seconds) * 1000)
            event = self._events[number] | {"event_time": time_ms}
            yield int(seconds // MINUTE), json.dumps(event).encode()

    def write(self, file: Path) -> int:
        """Write one event a line; return the number of events."""
        lines = [raw for _, raw in self.events()]
        file.write_bytes(b"\n".join(lines) + b"\n")
        return len(lines)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Series(NamedTuple):
    """One value a minute; None without a value."""

    conversion: list[float | None]
    sessions: list[float | None]


def series_of(shop: Shop, found: Iterable[MetricRecord]) -> Series:
    """Return the page's series, minute by minute: conversion of the last hour, and sessions so far."""
    conversion: list[float | None] = [None] * (shop.minutes + 1)
    in_hour = [0.0] * (shop.minutes + 1)
    for record in found:
        if record.window.kind != "trailing_1h" or record.dimensions or record.window.end is None:
            continue
        minute = round((_seconds(record.window.end) - shop.start) / MINUTE)
        if not 0 <= minute <= shop.minutes:
            continue
        if record.metric == "session_conversion_rate":
            conversion[minute] = record.value
        elif record.metric == "bounce_rate":
            # Sessions with a page view: the bounce rate's denominator.
            in_hour[minute] = record.denominator or 0
    sessions: list[float | None] = []
    for minute, count in enumerate(in_hour):
        sessions.append(count + ((sessions[minute - 60] or 0) if minute >= 60 else 0))
    return Series(conversion, sessions)


def panel_queries(title: str, segment: str = CHOSEN["segment"]) -> dict[str, str]:
    """Return the queries of a shipped panel by legend, for this dimension."""
    (found,) = [panel for panel in panels("engagement") if panel["title"] == title]
    chosen = CHOSEN | {"segment": segment}
    return {query["legendFormat"]: filled(query["expr"], chosen) for query in found["targets"]}


def fired(alert: str, minutes: int, labels: str = "") -> str:
    """Return an expression for whether an alert has fired in the last minutes."""
    firing = f'ALERTS{{alertname="{alert}",alertstate="firing"{labels}}}'
    return f"sum(max_over_time({firing}[{minutes}m]) > bool 0) or vector(0)"


def failures(
    folder: Path,
    alert: str,
    series: Input,
    expected: Mapping[str, tuple[int, float]],
    *,
    step_minutes: int = 1,
    unguarded: str = "",
) -> str:
    """Return promtool's output for the shipped rules and expression → (minute, value); empty if all hold.

    `unguarded` is a guard, as written in the rules, that is removed from them.
    """
    groups = part_for(alerts()[alert])
    for rule in (rule for group in groups for rule in group["rules"]):
        if unguarded:
            rule["expr"] = rule["expr"].replace(unguarded, " >= 0")
    document: dict[str, Any] = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "group_eval_order": [group["name"] for group in groups],
        "tests": [
            {
                "interval": f"{step_minutes}m",
                "input_series": [
                    {"series": name, "values": " ".join(map(_written, values))}
                    for name, values in series.items()
                ],
                "promql_expr_test": [
                    {
                        "expr": expression,
                        "eval_time": f"{minute}m",
                        "exp_samples": [{"labels": "{}", "value": value}],
                    }
                    for expression, (minute, value) in expected.items()
                ],
            }
        ],
    }
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": groups}), "utf-8")
    (folder / "test.yml").write_text(yaml.safe_dump(document), "utf-8")
    done = run(tool("promtool"), "test", "rules", str(folder / "test.yml"))
    return done.stdout if done.returncode else ""


def _written(value: float | None) -> str:
    return "_" if value is None else f"{value:.6f}"
