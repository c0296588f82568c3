"""Tells the form of an input from its first bytes: JSON lines, a JSON array, CSV or Parquet."""

import csv
from dataclasses import dataclass
from typing import Literal

Form = Literal["lines", "array", "csv", "parquet"]
#: Bytes that are enough to tell a form.
HEAD_BYTES = 1 << 16
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PARQUET_MAGIC = b"PAR1"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
#: Columns by which the first line of CSV is known.
_MARKS = {"event_id", "event_time"}
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Found:
    """Form of an input, and the delimiter of CSV."""

    form: Form
    delimiter: str = ","


class WrongEncodingError(ValueError):
    """The text is not in UTF-8."""


def detect(head: bytes) -> Found:
    """Return the form of an input that begins with `head`. Raises WrongEncodingError.

    What is neither an array, CSV nor Parquet is read as lines, so that each is named.
    """
    if head.startswith(PARQUET_MAGIC):
        return Found("parquet")
    if head.startswith(_UTF_16):
        raise WrongEncodingError("is UTF-16; convert it: iconv -f UTF-16 -t UTF-8")
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if text.startswith(b"["):
        inner = text[1:].lstrip()[:1]
        return Found("array" if inner in (b"{", b"[", b"]", b"") else "lines")
    if text and not text.startswith(b"{"):
        first = text.splitlines()[0].decode(errors="replace")
        for delimiter in _DELIMITERS:
            if _MARKS & set(header(first, delimiter)):
                return Found("csv", delimiter)
    return Found("lines")


def header(line: str, delimiter: str) -> list[str]:
    """Return the names in the first line of CSV."""
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []
