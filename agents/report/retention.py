"""Prints retention triangles: a line for each cohort, a column for each later period."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.commands.catalogue import RequestRefusedError
from agents.report.labels import shortened
from agents.report.partial import NOTE, is_partial, marked
from agents.report.window_names import shown_period
from schemas.outputs import MetricRecord, WindowKind
from schemas.rejection import printable
from stream.report.cohorts import KINDS, PERIOD
from stream.report.periods import DayRange

#: Number of periods in a table; json and csv hold all.
PERIODS_SHOWN = 14


def choose_periods(
    metrics: Sequence[str],
    windows: Sequence[str],
    by: Sequence[str],
    days: DayRange | None = None,
) -> list[WindowKind]:
    """Choose the kinds of periods by `windows` (none: all). Raises RequestRefusedError."""
    if days is not None:
        raise RequestRefusedError("--retention shows every period; leave out --from and --to")
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
    has_partial = False
    with console.capture() as captured:
        for (site, kind), own in groupby(records, key=lambda r: (r.site, r.window.kind)):
            cells = list(own)
            has_partial |= any(map(is_partial, cells))
            console.print(_table(f"{shortened(site)}, by {kind}", cells))
            console.print()
        if has_partial:
            console.print(NOTE, soft_wrap=True)
    return captured.get()


def _table(title: str, records: Iterable[MetricRecord]) -> Table:
    rows = list(cohort_rows(records))
    shown = min(max((len(row.later) for row in rows), default=0), PERIODS_SHOWN)
    table = Table(box=None, padding=(0, 1), pad_edge=True, header_style="dim")
    table.add_column(Text(title), no_wrap=True)
    for heading in ("people", *map(str, range(1, shown + 1))):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        cells = marked([f"{cell.value or 0:.1%}" for cell in row.later], row.later)
        table.add_row(*map(Text, [row.cohort, f"{row.people:,.0f}", *cells[:shown]]))
    return table


class CohortRow(NamedTuple):
    """A cohort: its period, its people, and its records of 1, 2, … periods later."""

    cohort: str
    people: float
    later: list[MetricRecord]


def cohort_rows(records: Iterable[MetricRecord]) -> Iterator[CohortRow]:
    """Yield the cohorts of a triangle; one without people is left out."""
    for _, row in groupby(records, key=lambda r: r.window):
        first, *later = sorted(row, key=lambda r: int(r.dimensions[PERIOD]))
        if first.denominator:
            yield CohortRow(shown_period(first), first.denominator, later)
