"""`engage metrics`: print the catalogue, look up names in it, and write its numbers for people."""

import json
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Any, get_args

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from schemas.outputs import WindowKind
from schemas.rejection import printable
from stream.configure.describe import NOT_SET
from stream.configure.suggest import did_you_mean
from stream.configure.toml_text import toml_value
from stream.metrics.catalogue import catalogue
from stream.metrics.families import PREFIX
from stream.metrics.metric import OWN_DIMENSION_NAMES, Metric
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
    known: tuple[WindowKind, ...] = get_args(WindowKind)
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


def print_catalogue(settings: Settings, format: str) -> int:
    """Print every metric as `table`, `json` (a list of objects) or `markdown`; return 0."""
    if format == "json":
        text = json.dumps(as_entries(settings), ensure_ascii=False, indent=2) + "\n"
    elif format == "markdown":
        text = metrics_markdown(settings)
    else:
        text = _as_blocks(as_entries(settings))
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


def as_entries(settings: Settings) -> list[dict[str, Any]]:
    """Return an object for each metric, with the settings that change it and their values."""
    return [_entry(metric, settings) for metric in catalogue(settings)] + [
        *map(_of_data_quality, DATA_QUALITY)
    ]


def _entry(metric: Metric, settings: Settings) -> dict[str, Any]:
    example, benchmark = metric.example, metric.benchmark
    gauge = main_family(metric)
    return {
        "name": metric.name,
        "help": metric.help,
        "unit": metric.unit,
        "formula": metric.formula,
        "windows": list(metric.windows),
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
        "help": one.help,
        "unit": one.unit,
        "formula": one.formula,
        "windows": [],
        "settings": {},
        "benchmark": None,
        "example": {"text": one.example.text, "value": one.example.value},
        "approximate": False,
        "gauge": f"{PREFIX}{one.series}",
        "gauge_labels": list(one.labels),
        "segment_gauge": None,
        "segment_window": None,
    }


def _as_blocks(entries: Iterable[dict[str, Any]]) -> str:
    """Write a paragraph for each metric: seven columns do not fit a terminal."""
    console = Console(highlight=False)
    with console.capture() as captured:
        for entry in entries:
            console.print(Text.assemble((entry["name"], "bold"), f"  {entry['unit']}"))
            rows = Table.grid(padding=(0, 2))
            rows.add_column(style="dim", no_wrap=True)
            rows.add_column(overflow="fold")
            for title, text in _lines(entry):
                rows.add_row(title, Text(text))
            console.print(Padding(rows, (0, 0, 1, 2)))
    return captured.get()


def _lines(entry: dict[str, Any]) -> Iterable[tuple[str, str]]:
    yield "", entry["help"]
    yield "formula", entry["formula"]
    yield "example", f"{entry['example']['text']} → {entry['example']['value']:,g}"
    if entry["windows"]:
        yield "windows", ", ".join(entry["windows"])
    if entry["settings"]:
        yield "settings", ", ".join(f"{key} = {value}" for key, value in entry["settings"].items())
    if entry["benchmark"]:
        yield "benchmark", f"{entry['benchmark']['text']} ({entry['benchmark']['source']})"
    if entry["approximate"]:
        yield "note", "an estimate, from a histogram"
    yield "gauge", f"{entry['gauge']}{{{', '.join(entry['gauge_labels'])}}}"


def metrics_markdown(settings: Settings) -> str:
    """Write the catalogue as a Markdown table."""
    headings = ("metric", "formula", "unit", "windows", "settings", "benchmark", "gauge")
    return _markdown(headings, (_markdown_row(entry) for entry in as_entries(settings)))


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
