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


def write_csv(out: TextIO, records: Iterable[MetricRecord]) -> None:
    """Write one line for each record; `previous` is empty unless the report compares."""
    writer = csv.writer(out, lineterminator="\n")
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


def _inert(text: str) -> str:
    """Mark a text from an event, so that a spreadsheet does not read it as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
