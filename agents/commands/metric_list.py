"""Prints the catalogue for people: a line for each metric, theme by theme, or all about some metrics."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agents.commands.terminal import terminal

#: Short words for kinds of windows in a narrow column.
_SHORT = {
    "trailing_5m": "5m", "trailing_30m": "30m", "trailing_1h": "1h", "trailing_24h": "24h",
    "trailing_168h": "168h", "trailing_7d": "7d", "trailing_28d": "28d", "trailing_30d": "30d",
    "trailing_90d": "90d", "trailing_365d": "365d",
}  # fmt: skip
#: Least width of a terminal for the column of windows.
_WIDE = 100
_UNIT_NARROW = 8
#: Indentation, and the spaces between columns.
_GAPS = 6
#: Columns that are not dim: the name and what it says.
_PLAIN_COLUMNS = 2
Entry = Mapping[str, Any]


def short_window(kind: str) -> str:
    """Return a short name of a window: 28d for trailing_28d."""
    return _SHORT.get(kind, kind)


def as_lines(entries: Iterable[Entry]) -> str:
    """Write the catalogue as a table of each theme, with one line for each metric.

    A narrow terminal has no room for the windows.
    """
    console = terminal()
    listed = list(entries)
    widths = _widths(listed, console.width)
    with console.capture() as captured:
        for theme, own in groupby(listed, key=lambda entry: entry["theme"]):
            console.print(Text(theme, "bold"))
            table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
            for number, width in enumerate(widths):
                style = "" if number < _PLAIN_COLUMNS else "dim"
                table.add_column(width=width, no_wrap=True, overflow="ellipsis", style=style)
            for entry in own:
                table.add_row(*map(Text, _cells(entry)[: len(widths)]))
            console.print(Padding(table, (0, 0, 1, 2)))
        console.print(Text("`engage metrics NAME` tells all about one."), soft_wrap=True)
    return _without_trailing_spaces(captured.get())


def _widths(entries: Iterable[Entry], width: int) -> list[int]:
    """Return the widths of the columns: what a metric says has the room that is left."""
    name, _, unit, windows = (
        max(map(len, column)) for column in zip(*map(_cells, entries), strict=True)
    )
    if width < _WIDE:
        return [name, max(width - name - _UNIT_NARROW - _GAPS, 8), _UNIT_NARROW]
    return [name, width - name - unit - windows - _GAPS, unit, windows]


def _cells(entry: Entry) -> tuple[str, str, str, str]:
    windows = " ".join(map(short_window, entry["windows"]))
    return entry["name"], _first_sentence(entry["help"]), entry["unit"], windows


def as_blocks(entries: Iterable[Entry]) -> str:
    """Write a paragraph for each metric with all that is known about it."""
    console = terminal()
    with console.capture() as captured:
        for entry in entries:
            console.print(Text.assemble((entry["name"], "bold"), f"  {entry['unit']}"))
            rows = Table.grid(padding=(0, 2))
            rows.add_column(style="dim", no_wrap=True)
            rows.add_column(overflow="fold")
            for title, text in _facts(entry):
                rows.add_row(title, Text(text))
            console.print(Padding(rows, (0, 0, 1, 2)))
    return _without_trailing_spaces(captured.get())


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".")


def _facts(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "", entry["help"]
    yield "theme", entry["theme"]
    yield "formula", entry["formula"]
    yield "example", f"{entry['example']['text']} → {entry['example']['value']:,g}"
    if entry["windows"]:
        yield "windows", ", ".join(entry["windows"])
    if entry["dimensions"]:
        yield "also by", ", ".join(entry["dimensions"])
    for number, (key, value) in enumerate(entry["settings"].items()):
        yield "" if number else "settings", f"{key} = {value}"
    if entry["benchmark"]:
        yield "benchmark", f"{entry['benchmark']['text']} ({entry['benchmark']['source']})"
    if entry["approximate"]:
        yield "note", "an estimate, from a histogram"
    yield "gauge", f"{entry['gauge']}{{{', '.join(entry['gauge_labels'])}}}"
    if entry["segment_gauge"]:
        yield "of segments", f"{entry['segment_gauge']}, window {entry['segment_window']}"


def _without_trailing_spaces(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
