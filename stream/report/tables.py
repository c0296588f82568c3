"""Reads the rows of CSV and Parquet as the JSON of events."""

import csv
import io
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from schemas.codec import MAX_BYTES, Reason, RejectedEvent
from stream.report.columns import Columns

#: A line of CSV holds as much as the longest event; a cell cannot be longer.
_CELL_MAX = MAX_BYTES
_ROWS_AT_ONCE = 4096
MISSING = (
    "is Parquet, and the extra that reads it is not installed: "
    "python -m pip install 'engagement-stream[files]'"
)


class DamagedTableError(ValueError):
    """A Parquet file cannot be read on, or at all."""


def csv_rows(source: io.BufferedReader, delimiter: str) -> Iterator[bytes | RejectedEvent]:
    """Yield an empty item for the header, then one for each row. Raises HeaderError."""
    csv.field_size_limit(_CELL_MAX)
    # Bytes that are not UTF-8 become surrogates, so that only their row is refused.
    text = io.TextIOWrapper(source, "utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    columns = Columns([name.strip() for name in next(rows)])
    width = len(columns.names)
    yield b""
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            reason = Reason.TOO_LARGE if "field limit" in str(error) else Reason.MALFORMED
            yield RejectedEvent(reason, str(error))
            continue
        if not row:
            yield b""
        elif len(row) != width:
            found = f"{len(row)} cells; the header has {width}"
            yield RejectedEvent(Reason.MALFORMED, found)
        else:
            yield columns.event(row)


def parquet_rows(source: io.BufferedReader, path: str | None) -> Iterator[bytes | RejectedEvent]:
    """Yield an item for each row. Raises HeaderError and DamagedTableError.

    `path` names a file that holds just this Parquet; otherwise a copy is made, because reading
    begins at the end.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DamagedTableError(MISSING) from error
    with tempfile.TemporaryFile(prefix="engage-") as copy:
        if path is None:
            shutil.copyfileobj(source, copy)
            copy.seek(0)
        try:
            with parquet.ParquetFile(path or copy, memory_map=False) as file:
                columns = Columns(file.schema_arrow.names)
                for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, use_threads=False):
                    yield from map(columns.event, _rows(pyarrow, batch))
        except (pyarrow.ArrowException, OSError) as error:
            raise DamagedTableError(f"is no whole Parquet file ({error})") from error


def _rows(pyarrow: Any, batch: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a batch as Python values; times in microseconds, decimals as floats."""
    columns = []
    for column in batch.columns:
        kind = column.type
        if pyarrow.types.is_dictionary(kind):
            column = column.dictionary_decode()
        elif pyarrow.types.is_timestamp(kind) and kind.unit == "ns":
            column = column.cast(pyarrow.timestamp("us", kind.tz), safe=False)
        elif pyarrow.types.is_decimal(kind):
            column = column.cast(pyarrow.float64())
        columns.append(column.to_pylist())
    return zip(*columns, strict=True)
