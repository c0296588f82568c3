"""Opens an input: a file or standard input, decompressed by what it holds, whatever its name."""

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

from schemas.rejection import printable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: Name that stands for standard input.
STANDARD_INPUT = "-"
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MAGIC_BYTES = 4
_BUFFER_BYTES = 1 << 18
#: Errors of a compressed file that ends early or is damaged.
DAMAGE: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError)


class InputError(OSError):
    """An input cannot be read to its end; the message names it and the place."""


def shown_name(name: str) -> str:
    """Name of an input for messages."""
    return "standard input" if name == STANDARD_INPUT else printable(name)


def is_file(name: str) -> bool:
    """Whether an input is a regular file, which can be read again."""
    return name != STANDARD_INPUT and Path(name).is_file()


def is_compressed(head: bytes) -> bool:
    """Whether a file that begins with `head` is compressed."""
    return head.startswith((_GZIP_MAGIC, _ZSTD_MAGIC))


@contextmanager
def opened(name: str) -> Iterator[io.BufferedReader]:
    """Open an input for reading, decompressed."""
    with ExitStack() as closing:
        if name == STANDARD_INPUT:
            stream = cast(io.BufferedReader, sys.stdin.buffer)
        else:
            stream = closing.enter_context(Path(name).open("rb"))
        head = stream.read(_MAGIC_BYTES)
        whole = io.BufferedReader(_Rejoined(head, stream), _BUFFER_BYTES)
        # A decompressor buffers by itself: a second buffer would lose what came before a damage.
        if head.startswith(_GZIP_MAGIC):
            unpacked: object = gzip.GzipFile(fileobj=whole, mode="rb")
        elif head == _ZSTD_MAGIC:
            unpacked = zstd.ZstdFile(whole, "rb")
        else:
            unpacked = whole
        yield cast(io.BufferedReader, unpacked)


def why(error: Exception) -> str:
    """Return the cause of an error in a few words."""
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes have been read, from its beginning again."""

    def __init__(self, head: bytes, rest: io.BufferedReader) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into `buffer`; return the number of bytes, 0 at the end."""
        # The first read holds more than the head, so that the form can be told from it.
        part = self._head + self._rest.read1(len(buffer) - len(self._head))
        self._head = b""
        buffer[: len(part)] = part
        return len(part)
