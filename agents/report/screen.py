"""Formats the overview of a report for a terminal: one screen, a line for each metric with data."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from agents.commands.metric_list import short_window
from agents.report.labels import shortened
from agents.report.overview import Overview
from agents.report.partial import MARK, is_partial
from agents.report.rows import Row, Section
from agents.report.series import series
from agents.report.sparkline import sparkline
from agents.report.values import brief_benchmark, brief_change, brief_value

#: A narrower terminal cuts long names and benchmarks.
_WIDE = 100
_NAME_NARROW = 28
#: Width of a sparkline: at most, when a benchmark is cut for it, and at least.
_LINE_MAX, _LINE_GOOD, _LINE_MIN = 60, 26, 8
#: A benchmark is cut to this for the sparkline.
_BENCHMARK_CUT = 10
_HEADINGS = ("value", "window", "change")
_DAY = "%Y-%m-%d"


class _Cells(NamedTuple):
    name: str
    value: str
    window: str
    change: str
    benchmark: str


class _Widths(NamedTuple):
    name: int
    value: int
    window: int
    change: int
    line: int
    benchmark: int
    #: Spaces between the columns.
    gap: int


def as_screen(console: Console, found: Overview, currency: str | None, *, has_bars: bool) -> None:
    """Print the overview of a site. Without `has_bars` the output cannot show sparklines."""
    cells = {row.metric.name: _cells(row, currency) for row in found.rows()}
    if not cells:
        return
    widths = _widths(list(cells.values()), console.width, has_bars=has_bars)
    step, spans = found.steps(max(widths.line, 1))
    widths = widths._replace(line=min(widths.line, max(len(spans), _LINE_MIN)))
    headings = _line(widths, _Cells("", *_HEADINGS, "benchmark"), f"by {step}")
    _print(console, headings, style="dim")
    for section in found.sections:
        if section.rows:
            more = f"  and {section.more} more" if section.more else ""
            _print(console, Text.assemble((section.title, "bold"), (more, "dim")))
        for row in section.rows:
            bars = sparkline(series(row.numbers, step, spans)) if has_bars else ""
            _print(console, _line(widths, cells[row.metric.name], bars))
    for note in notes(found):
        console.print(Text(note), style="dim")


def period(found: Overview) -> str:
    """Say from when to when there are events, and whether the newest day is over."""
    days = (found.newest.date() - found.first.date()).days + 1
    over = ""
    if not found.is_newest_day_over:
        over = f" (not over, newest event after {found.newest:%H:%M})"
    if days == 1:
        return f"{found.first:{_DAY}}{over}, {found.timezone}"
    return f"{found.first:{_DAY}} to {found.newest:{_DAY}}{over}, {days:,} days, {found.timezone}"


def without_data(sections: Iterable[Section]) -> str:
    """Name the sections and count the metrics without data in one line; empty if all have some."""
    whole = [one for one in sections if one.empty and not one.rows]
    others = sum(len(one.empty) for one in sections if one.rows)
    parts = [one.title for one in whole]
    if others:
        parts.append(f"{others} other metrics" if parts else f"{others} metrics")
    return f"Without data: {', '.join(parts)}" if parts else ""


def _cells(row: Row, currency: str | None) -> _Cells:
    record, unit = row.record, row.metric.unit
    value = brief_value(record.value, unit, currency, is_mean=record.denominator is not None)
    value += MARK if is_partial(record) else ""
    change = brief_change(*row.change, unit, currency) if row.change else ""
    window = short_window(record.window.kind)
    return _Cells(row.metric.name, value, window, change, brief_benchmark(row.metric))


def _widths(cells: Sequence[_Cells], width: int, *, has_bars: bool) -> _Widths:
    """Share the width: names and numbers need theirs, sparkline and benchmark take what is left."""
    name, *numbers, benchmark = (max(map(len, column)) for column in zip(*cells, strict=True))
    numbers = [max(found, len(text)) for found, text in zip(numbers, _HEADINGS, strict=True)]
    is_wide = width >= _WIDE
    gap = 2 if is_wide else 1
    name = name if is_wide else min(name, _NAME_NARROW)
    left = width - (2 + name + sum(numbers) + gap * 4)
    line = 0
    if has_bars and left >= _LINE_MIN:
        least = min(max(left - gap - min(benchmark, _BENCHMARK_CUT), _LINE_MIN), _LINE_GOOD)
        line = min(max(left - gap - benchmark, least), _LINE_MAX)
        left -= line + gap
    value, window, change = numbers
    return _Widths(name, value, window, change, line, max(min(benchmark, left), 0), gap)


def _line(widths: _Widths, cells: _Cells, bars: str) -> Text:
    parts = [
        f"  {shortened(cells.name, widths.name):<{widths.name}}",
        f"{cells.value:>{widths.value}}",
        f"{cells.window:<{widths.window}}",
        f"{cells.change:>{widths.change}}",
    ]
    if widths.line:
        parts.append(f"{bars[: widths.line]:<{widths.line}}")
    text = Text((" " * widths.gap).join(parts))
    if widths.benchmark:
        benchmark = Text(cells.benchmark)
        benchmark.truncate(widths.benchmark, overflow="ellipsis")
        text.append(" " * widths.gap).append(benchmark.plain, "dim")
    text.rstrip()
    return text


def _print(console: Console, text: Text, style: str = "") -> None:
    console.print(text, style=style, no_wrap=True, overflow="ellipsis", crop=True)


def notes(found: Overview) -> Iterator[str]:
    """Yield the footnotes: what the windows and the changes are, and what has no data."""
    kinds: dict[str, list[str]] = {}
    for row in found.rows():
        if row.numbers.whole is None:
            kind = short_window(row.record.window.kind)
            named = kinds.setdefault(_end(row), [])
            named += [kind] if kind not in named else []
    ends = "".join(f"; {' '.join(named)}: {end}" for end, named in kinds.items())
    yield f"window: all is the whole input{ends}"
    if found.compared:
        days = f"{found.compared} days on the {found.compared} before"
        if found.compared == 1:
            days = "day on the day before"
        yield f"change: newest {days} (all), else on the window before"
    if text := without_data(found.sections):
        yield text


def _end(row: Row) -> str:
    kind = row.record.window.kind
    days = next(days for days, record in row.numbers.of_days[kind] if record is row.record)
    return f"{days.first:%Y-%m}" if kind == "month" else f"to {days.last}"
