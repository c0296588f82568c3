"""A shop of half a year in less than a day, and its metric records as the series that rules read."""

import gzip
import json
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from agents.dashboards.panel import BAND_LOW
from schemas.outputs import MetricRecord
from tests.alerting.promtool import alerts, part_for, run, tool
from tests.grafana.shipped import filled, panels

MINUTE = 60
#: All times of the shop are divided by this: the same visits, in the same order, of a busier shop.
FASTER = 240
ALERT = "EngagementConversionDrop"
PANEL = "Conversion of visits and what is usual"
_CONVERSION = 'engagement_session_conversion_ratio{job="engagement",instance="w1",site="default",window="trailing_1h"}'
_VISITS = 'engagement_viewed_sessions_total{job="engagement",instance="w1",site="default"}'


class Shop:
    """The events of the shop, moved to the hours before now."""

    def __init__(self, file: Path) -> None:
        with gzip.open(file) as source:
            self._events = [json.loads(line) for line in source]
        times = [_seconds(event["event_time"]) for event in self._events]
        self._began = min(times)
        self.minutes = int((max(times) - self._began) / FASTER / MINUTE) + 2
        #: Visits with a page view.
        self.visits = len({e["session_id"] for e in self._events if e["type"] == "page_view"})
        #: When it begins now: a whole minute, so far back that nothing lies ahead.
        self.start = (int(time.time()) // MINUTE - self.minutes - 5) * MINUTE

    def minute(self, day: str) -> int:
        """How many minutes after the beginning a day of the shop begins now."""
        return round((_seconds(f"{day}T00:00:00Z") - self._began) / FASTER / MINUTE)

    def write(self, file: Path) -> int:
        """One event a line, in the order of time; how many."""
        times = [(_seconds(e["event_time"]) - self._began) / FASTER for e in self._events]
        moved = sorted((time, number) for number, time in enumerate(times))
        with file.open("w", encoding="utf-8") as out:
            for seconds, number in moved:
                time_ms = round((self.start + seconds) * 1000)
                out.write(json.dumps(self._events[number] | {"event_time": time_ms}) + "\n")
        return len(moved)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Series(NamedTuple):
    """A value a minute; None where there was none."""

    conversion: list[float | None]
    visits: list[int]


def series_of(shop: Shop, found: Iterable[MetricRecord]) -> Series:
    """What the page would have shown, minute by minute: the hour that ended then, and visits so far."""
    conversion: list[float | None] = [None] * (shop.minutes + 1)
    in_hour = [0] * (shop.minutes + 1)
    for record in found:
        if record.window.kind != "trailing_1h" or record.dimensions or record.window.end is None:
            continue
        minute = round((_seconds(record.window.end) - shop.start) / MINUTE)
        if not 0 <= minute <= shop.minutes:
            continue
        if record.metric == "session_conversion_rate":
            conversion[minute] = record.value
        elif record.metric == "bounce_rate":
            # Of visits with a page view: the bounce rate's denominator.
            in_hour[minute] = round(record.denominator or 0)
    visits: list[int] = []
    for minute, count in enumerate(in_hour):
        visits.append(count + (visits[minute - 60] if minute >= 60 else 0))
    return Series(conversion, visits)


def panel() -> tuple[str, str]:
    """(the number, the lowest usual one): what the shipped panel asks for."""
    (found,) = [panel for panel in panels("engagement") if panel["title"] == PANEL]
    asked = {query["legendFormat"]: filled(query["expr"]) for query in found["targets"]}
    return asked["{{site}}"], asked[BAND_LOW]


def failures(
    folder: Path, series: Series, expected: dict[str, tuple[int, float]], *, guarded: bool = True
) -> str:
    """What promtool says against the shipped rules: expression → (minute, value); empty when all holds.

    Not `guarded`, hours of however few visits count as usual.
    """
    groups = part_for(alerts()[ALERT])
    if not guarded:
        for rule in (rule for group in groups for rule in group["rules"]):
            rule["expr"] = rule["expr"].replace(" >= 200", " >= 0")
    values = " ".join("_" if value is None else f"{value:.6f}" for value in series.conversion)
    document: dict[str, Any] = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "group_eval_order": [group["name"] for group in groups],
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": _CONVERSION, "values": values},
                    {"series": _VISITS, "values": " ".join(map(str, series.visits))},
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
