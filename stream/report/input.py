"""Reads the events of an input one by one, whatever its form and its compression."""

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from schemas.codec import MAX_BYTES, RejectedEvent
from schemas.rejection import printable
from stream.report.columns import HeaderError
from stream.report.detect import (
    BYTE_ORDER_MARK,
    HEAD_BYTES,
    PARQUET_MAGIC,
    WrongEncodingError,
    detect,
)
from stream.report.json_array import BrokenArrayError, elements
from stream.report.opening import (
    DAMAGE,
    STANDARD_INPUT,
    InputError,
    is_compressed,
    is_file,
    opened,
    shown_name,
    why,
)
from stream.report.tables import DamagedTableError, csv_rows, parquet_rows

#: Length of the longest event with the end of its line.
LINE_MAX = MAX_BYTES + 2
DAMAGED: tuple[type[Exception], ...] = (*DAMAGE, BrokenArrayError)
LINES_BUFFER = 1 << 18
#: Bytes of a possible event, or the refusal of a row that is none.
Item = bytes | RejectedEvent


def check_readable(names: Iterable[str]) -> None:
    """Raise InputError if one of the inputs is missing, a directory, or cannot be opened."""
    for name in names:
        if name == STANDARD_INPUT:
            continue
        shown = printable(name)
        if Path(name).is_dir():
            raise InputError(f"{shown} is a directory; name the files in it, such as {shown}/*")
        if not os.access(name, os.R_OK):
            reason = "cannot be read" if os.path.lexists(name) else "does not exist"
            raise InputError(f"{shown} {reason}")


def read_items(name: str, longest: int = LINE_MAX) -> Iterator[Item]:
    """Yield each line, element or row of an input; blank lines and the header as empty bytes.

    A line or element longer than `longest` is cut there, so that it does not fill the memory.
    Raises InputError after the last good item.
    """
    shown, number = shown_name(name), 0
    try:
        with opened(name) as source:
            for item in _items(name, source, longest):
                number += 1
                yield item
    except DAMAGED as error:
        text = f"{shown} is damaged or cut short after line {number:,} ({error})"
        raise InputError(text) from error
    except (HeaderError, WrongEncodingError, DamagedTableError) as error:
        raise InputError(f"{shown} {error}") from error
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{shown} cannot be read after line {number:,}: {why(error)}") from error


def is_splittable(name: str) -> bool:
    """Whether an input is a plain file of lines, so that parts of it can be read by themselves."""
    if not is_file(name):
        return False
    with Path(name).open("rb") as source:
        head = source.read(HEAD_BYTES)
    try:
        return not is_compressed(head) and detect(head).form == "lines"
    except WrongEncodingError:
        return False


def read_lines(name: str, start: int, end: int, longest: int = LINE_MAX) -> Iterator[bytes]:
    """Yield the lines of a plain file that begin at the bytes `start` to `end` - 1, as `read_items` does.

    Raises InputError after the last good line.
    """
    number = 0
    try:
        with io.BufferedReader(io.FileIO(name), LINES_BUFFER) as source:
            source.seek(max(start - 1, 0))
            if start:
                _skip_line(source, longest)
            elif source.peek(len(BYTE_ORDER_MARK)).startswith(BYTE_ORDER_MARK):
                source.read(len(BYTE_ORDER_MARK))
            place = source.tell()
            while place < end and (line := source.readline(longest)):
                place += len(line)
                if len(line) == longest and not line.endswith(b"\n"):
                    place += _skip_line(source, longest)
                number += 1
                yield line.rstrip(b"\r\n")
    except OSError as error:
        shown = shown_name(name)
        raise InputError(
            f"{shown} cannot be read {number:,} lines after byte {start:,}: {why(error)}"
        ) from error


def _skip_line(source: io.BufferedIOBase, longest: int) -> int:
    """Read to the end of a line; return the number of bytes."""
    size = 0
    while part := source.readline(longest):
        size += len(part)
        if part.endswith(b"\n"):
            break
    return size


def _items(name: str, source: io.BufferedReader, longest: int) -> Iterator[Item]:
    found = detect(source.peek(HEAD_BYTES))
    if found.form == "parquet":
        return parquet_rows(source, name if _holds_parquet(name) else None)
    if found.form == "csv":
        return csv_rows(source, found.delimiter)
    if source.peek(len(BYTE_ORDER_MARK)).startswith(BYTE_ORDER_MARK):
        source.read(len(BYTE_ORDER_MARK))
    return elements(source, longest) if found.form == "array" else _lines(source, longest)


def _lines(source: io.BufferedReader, longest: int) -> Iterator[bytes]:
    while line := source.readline(longest):
        yield line.rstrip(b"\r\n")
        while len(line) == longest and not line.endswith(b"\n"):
            line = source.readline(longest)


def _holds_parquet(name: str) -> bool:
    """Whether a file is Parquet itself, not compressed or standard input."""
    if not is_file(name):
        return False
    with Path(name).open("rb") as source:
        return source.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
