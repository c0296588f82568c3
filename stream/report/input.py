"""Reads the lines of event files: plain ones, gzip ones, and standard input."""

import gzip
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from schemas.codec import MAX_BYTES
from schemas.rejection import printable

#: Name that stands for standard input.
STANDARD_INPUT = "-"
#: Length of the longest event with the end of its line.
LINE_MAX = MAX_BYTES + 2
_GZIP_MAGIC = b"\x1f\x8b"


class InputError(OSError):
    """A file cannot be read to its end; the message names it and the line before the damage."""


def shown_name(name: str) -> str:
    """Name of an input for messages."""
    return "standard input" if name == STANDARD_INPUT else printable(name)


def check_readable(names: Iterable[str]) -> None:
    """Raise InputError if one of the files is missing or cannot be opened."""
    for name in names:
        if name != STANDARD_INPUT and not os.access(name, os.R_OK):
            why = "cannot be read" if os.path.lexists(name) else "does not exist"
            raise InputError(f"{printable(name)} {why}")


def read_lines(name: str, longest: int = -1) -> Iterator[bytes]:
    """Yield each line without its end, empty ones too. Raises InputError after the last good line.

    A line longer than `longest` is cut there, so that a file without line ends does not fill the
    memory.
    """
    shown, number = shown_name(name), 0
    try:
        with _opened(name) as source:
            while line := source.readline(longest):
                number += 1
                if number == 1 and line.startswith(_GZIP_MAGIC):
                    raise InputError(f"{shown} is compressed; name it .gz, or use zcat")
                yield line.rstrip(b"\r\n")
                while len(line) == longest and not line.endswith(b"\n"):
                    line = source.readline(longest)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        what = "is not a gzip file"
        if number:
            what = f"is damaged or cut short after line {number:,}"
        raise InputError(f"{shown} {what} ({error})") from error
    except InputError:
        raise
    except OSError as error:
        text = f"{shown} cannot be read after line {number:,}: {error.strerror}"
        raise InputError(text) from error


def _opened(name: str) -> AbstractContextManager[BinaryIO | gzip.GzipFile]:
    if name == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    return gzip.open(name, "rb") if name.endswith(".gz") else Path(name).open("rb")
