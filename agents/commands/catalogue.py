"""`engage metrics`: prints the catalogue, and looks up names in it."""

import json
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from agents.commands.metric_list import as_blocks, as_lines
from agents.commands.terminal import write
from schemas.outputs import WindowKind
from schemas.rejection import printable
from schemas.suggest import did_you_mean
from stream.configure.describe import NOT_SET
from stream.configure.toml_text import toml_value
from stream.counters.windows import KINDS
from stream.metrics.catalogue import by_theme, catalogue
from stream.metrics.families import PREFIX
from stream.metrics.metric import JOINED, OWN_DIMENSION_NAMES, Metric
from stream.metrics.metric_families import main_family, segment_family
from stream.metrics.setting_value import setting_value
from stream.publish.snapshot import main_window
from stream.settings.application import Settings
from stream.web.data_quality import DATA_QUALITY, DataQuality


class RequestRefusedError(Exception):
    """Raised for a request that cannot be met. The message says why, and names the nearest known."""


def choose_metrics(settings: Settings, names: Collection[str]) -> list[Metric]:
    """Return the metrics of these names, or all if none is named. Raises RequestRefusedError."""
    metrics = {metric.name: metric for metric in catalogue(settings)}
    for name in names:
        if name not in metrics:
            listed = "`engage metrics` lists them"
            raise RequestRefusedError(f"unknown metric {_nearest(name, metrics)}; {listed}")
    return [metric for metric in metrics.values() if not names or metric.name in names]


def choose_windows(
    named: Iterable[Metric], windows: Sequence[str], default: Sequence[WindowKind]
) -> list[WindowKind]:
    """Return the windows of these names, or the default ones if none is named.

    A metric without any default window adds its own. Raises RequestRefusedError for an unknown window,
    and for one that a named metric has not.
    """
    known = KINDS
    for name in windows:
        if name not in known:
            listed = ", ".join(known)
            raise RequestRefusedError(f"unknown window {_nearest(name, known)}; there are {listed}")
    kinds = [kind for kind in known if kind in (windows or default)]
    for metric in named:
        if not set(kinds) & set(metric.windows):
            if windows:
                has = ", ".join(metric.windows)
                raise RequestRefusedError(f"{metric.name} has no such window; it has {has}")
            kinds += metric.windows
    return kinds


def check_dimensions(settings: Settings, names: Iterable[str]) -> None:
    """Check that each name is a dimension, configured or of a metric. Raises RequestRefusedError."""
    known = [*settings.dimensions, *sorted(OWN_DIMENSION_NAMES)]
    for name in names:
        if name not in known:
            listed = ", ".join(settings.dimensions) or "none"
            raise RequestRefusedError(
                f"unknown dimension {_nearest(name, known)}; configured: {listed}; "
                "add it to `dimensions` (ENGAGE_DIMENSIONS)"
            )


def _nearest(name: str, known: Iterable[str]) -> str:
    """Quote the name, with the known one that it may stand for."""
    question = did_you_mean(name, known)
    return f"'{printable(name, 80)}'" + (f" ({question})" if question else "")


def print_catalogue(settings: Settings, format: str, names: Sequence[str] = ()) -> int:
    """Print the metrics of these names (none: all) as `table`, `json` or `markdown`; return 0.

    A table has one line for each metric, or all about each if they are named. Return 2 for an unknown
    name.
    """
    entries = as_entries(settings)
    known = [entry["name"] for entry in entries]
    for name in names:
        if name not in known:
            listed = "`engage metrics` lists them"
            print(f"engage: unknown metric {_nearest(name, known)}; {listed}", file=sys.stderr)
            return 2
    if names:
        entries = [entry for entry in entries if entry["name"] in names]
    if format == "json":
        write(json.dumps(entries, ensure_ascii=False, indent=2) + "\n")
    elif format == "markdown":
        write(as_markdown(entries))
    else:
        write(as_blocks(entries) if names else as_lines(entries))
    return 0


def as_entries(settings: Settings) -> list[dict[str, Any]]:
    """Return an object for each metric, with the settings that change it and their values."""
    return [
        _entry(metric, theme, settings)
        for theme, metrics in by_theme(settings)
        for metric in metrics
    ] + [*map(_of_data_quality, DATA_QUALITY)]


def _entry(metric: Metric, theme: str, settings: Settings) -> dict[str, Any]:
    example, benchmark = metric.example, metric.benchmark
    gauge = main_family(metric)
    return {
        "name": metric.name,
        "theme": theme,
        "help": metric.help,
        "unit": metric.unit,
        "formula": metric.formula,
        "windows": list(metric.windows),
        "dimensions": [name.replace(JOINED, " and ") for name in metric.by],
        "settings": {name: _text(setting_value(settings, name)) for name in metric.settings},
        "benchmark": benchmark and {"text": benchmark.text, "source": benchmark.source},
        "example": {"text": example.text, "value": example.value},
        "approximate": metric.approximate,
        "gauge": gauge.name,
        "gauge_labels": list(gauge.labels),
        "segment_gauge": segment_family(metric).name,
        "segment_window": main_window(metric),
    }


def _text(value: object) -> str:
    return NOT_SET if value is None else toml_value(value)


def _of_data_quality(one: DataQuality) -> dict[str, Any]:
    """Return the entry of a number about the numbers, which has no window of its own."""
    return {
        "name": one.name,
        "theme": "Data quality",
        "help": one.help,
        "unit": one.unit,
        "formula": one.formula,
        "windows": [],
        "dimensions": [],
        "settings": {},
        "benchmark": None,
        "example": {"text": one.example.text, "value": one.example.value},
        "approximate": False,
        "gauge": f"{PREFIX}{one.series}",
        "gauge_labels": list(one.labels),
        "segment_gauge": None,
        "segment_window": None,
    }


def as_markdown(entries: Iterable[dict[str, Any]]) -> str:
    """Write the entries as a Markdown table."""
    headings = ("metric", "formula", "unit", "windows", "settings", "benchmark", "gauge")
    return _markdown(headings, map(_markdown_row, entries))


def _markdown_row(entry: dict[str, Any]) -> list[str]:
    benchmark = entry["benchmark"]
    return [
        f"`{entry['name']}`",
        entry["formula"] + (" (an estimate)" if entry["approximate"] else ""),
        entry["unit"],
        ", ".join(entry["windows"]),
        ", ".join(f"`{name}`" for name in entry["settings"]),
        f"{benchmark['text']} ({benchmark['source']})" if benchmark else "",
        f"`{entry['gauge']}`",
    ]


def _markdown(headings: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [headings, ["---"] * len(headings)]
    cells += [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)
