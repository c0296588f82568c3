"""Writes metric records as CSV for spreadsheets."""

import csv
from collections.abc import Iterable
from typing import TextIO

from msgspec import UNSET

from schemas.outputs import MetricRecord

_COLUMNS = (
    "metric", "site", "dimension", "dimension_value", "window", "start", "end", "timezone", "value",
    "numerator", "denominator", "unit", "approximate", "is_final", "revision", "definition",
    "previous",
)  # fmt: skip
#: Beginnings of what spreadsheets read as a formula, or skip in front of one.
_FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def write_csv(out: TextIO, records: Iterable[MetricRecord]) -> None:
    """Write one line for each record; `previous` is empty unless the report compares."""
    # Python before 3.11.9 puts a cell with a bare CR in quotes only if its own lines end with one.
    writer = csv.writer(_LineEnds(out), lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for r in records:
        window, (dimension, value) = r.window, dimension_of(r)
        writer.writerow((
            r.metric, _inert(r.site), dimension, _inert(value), window.kind, window.start,
            window.end, window.timezone, r.value, r.numerator, r.denominator, r.unit,
            r.approximate, r.is_final, r.revision, r.definition,
            None if r.previous is UNSET else r.previous,
        ))  # fmt: skip


def dimension_of(record: MetricRecord) -> tuple[str, str]:
    """Return (dimension, value) of a record; empty for a whole site, several joined by commas."""
    return ",".join(record.dimensions), ",".join(record.dimensions.values())


class _LineEnds:
    """Ends each line with LF instead of CR LF."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, line: str) -> None:
        """Write one line of the table; `csv` passes each in one piece."""
        self._out.write(line.removesuffix("\r\n") + "\n")


def _inert(text: str) -> str:
    """Mark a text from an event, so that a spreadsheet does not read it as a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
