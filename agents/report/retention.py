"""Prints retention triangles: a line for each cohort, a column for each later period."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.commands.catalogue import RequestRefusedError, shown_period
from schemas.outputs import MetricRecord, WindowKind
from schemas.rejection import printable
from stream.report.cohorts import KINDS, PERIOD

#: Number of periods in a table; json and csv hold all.
PERIODS_SHOWN = 14


def choose_periods(
    metrics: Sequence[str], windows: Sequence[str], by: Sequence[str]
) -> list[WindowKind]:
    """Choose the kinds of periods by `windows` (none: all). Raises RequestRefusedError."""
    for option, names in (("--metric", metrics), ("--by", by)):
        if names:
            raise RequestRefusedError(f"--retention is of the whole site; leave out {option}")
    for name in windows:
        if name not in KINDS:
            listed = ", ".join(KINDS)
            text = f"--retention has no window {printable(name, 80)!r}; it has {listed}"
            raise RequestRefusedError(text)
    return [kind for kind in KINDS if not windows or kind in windows]


def as_triangles(records: Iterable[MetricRecord]) -> str:
    """Format a table for each site and kind of period."""
    console = Console(highlight=False, width=300)
    with console.capture() as captured:
        for (site, kind), own in groupby(records, key=lambda r: (r.site, r.window.kind)):
            console.print(_table(f"{printable(site, 64)}, by {kind}", own))
            console.print()
    return captured.get()


def _table(title: str, records: Iterable[MetricRecord]) -> Table:
    rows = list(_rows(records))
    shown = min(max((len(cells) for _, _, cells in rows), default=0), PERIODS_SHOWN)
    table = Table(box=None, padding=(0, 1), pad_edge=True, header_style="dim")
    table.add_column(Text(title), no_wrap=True)
    for heading in ("people", *map(str, range(1, shown + 1))):
        table.add_column(heading, justify="right", no_wrap=True)
    for period, people, cells in rows:
        table.add_row(*map(Text, [period, f"{people:,.0f}", *cells[:shown]]))
    return table


def _rows(records: Iterable[MetricRecord]) -> Iterator[tuple[str, float, list[str]]]:
    """Yield (cohort, its people, shares of them that return 1, 2, … periods later)."""
    for _, row in groupby(records, key=lambda r: r.window):
        first, *later = sorted(row, key=lambda r: int(r.dimensions[PERIOD]))
        if first.denominator:  # A cohort without people has no line.
            yield shown_period(first), first.denominator, [f"{r.value or 0:.1%}" for r in later]
