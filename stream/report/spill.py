"""Temporary file of a report: holds what must be sorted and does not fit into memory."""

import os
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from io import FileIO
from itertools import accumulate, pairwise
from typing import NamedTuple

from schemas.events import Event

#: Bytes of events that are written and read together.
_BLOCK_BYTES = 1 << 17
#: An event with its time in epoch ms.
Timed = tuple[Event, int]
#: Time of an event, its number over all inputs, and its bytes or, if they are read, the event.
TimedItem = tuple[int, int, bytes | Timed]


class Place(NamedTuple):
    """Place of bytes in the file."""

    start: int
    length: int


class SpillError(OSError):
    """The temporary directory cannot hold what must be sorted; the message says what to do."""


class Spill:
    """A file without a name, made when first needed. It vanishes however the program ends."""

    def __init__(self, file: FileIO | None = None) -> None:
        """`file` is one that another process has made."""
        self._file = file
        self._end = 0

    def close(self) -> None:
        """Remove the file."""
        if self._file is not None:
            self._file.close()

    def write(self, data: bytes | bytearray) -> Place:
        """Append bytes. Raises SpillError."""
        try:
            if self._file is None:
                self._file = unnamed_file()
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise SpillError(
                f"cannot sort the input: {tempfile.gettempdir()} took {self._end:,} bytes and no more "
                f"({os.strerror(error.errno or 0)}); set TMPDIR to a directory with room for the "
                "uncompressed input, or give files in the order of their event times"
            ) from error
        place = Place(self._end, len(data))
        self._end += len(data)
        return place

    def read(self, place: Place) -> bytes:
        """Return the bytes at a place."""
        assert self._file is not None
        return os.pread(self._file.fileno(), place.length, place.start)

    def write_run(
        self, times: Sequence[int], numbers: Sequence[int], raws: Sequence[bytes]
    ) -> list[Place]:
        """Append events that are in order; return the places of their blocks. Raises SpillError."""
        places: list[Place] = []
        first = size = 0
        for after, raw in enumerate(raws, start=1):
            size += len(raw)
            if size >= _BLOCK_BYTES or after == len(raws):
                part = slice(first, after)
                places.append(self.write(_packed(times[part], numbers[part], raws[part])))
                first, size = after, 0
        return places

    def read_run(self, places: Sequence[Place]) -> Iterator[list[TimedItem]]:
        """Yield the blocks of a run."""
        for place in places:
            yield _unpacked(self.read(place))


def unnamed_file() -> FileIO:
    """Return a file without a name in the temporary directory."""
    file = tempfile.TemporaryFile(prefix="engage-", buffering=0)  # noqa: SIM115
    assert isinstance(file, FileIO)
    return file


def _packed(times: Sequence[int], numbers: Sequence[int], raws: Sequence[bytes]) -> bytes:
    columns = (array("q", times), array("q", numbers), array("q", map(len, raws)))
    count = array("q", [len(raws)])
    return b"".join([count.tobytes(), *(column.tobytes() for column in columns), *raws])


def _unpacked(data: bytes) -> list[TimedItem]:
    count = int.from_bytes(data[:8], "little")
    columns = memoryview(data)[8 : 8 + 24 * count].cast("q")
    times, numbers, lengths = (columns[i * count : (i + 1) * count] for i in range(3))
    ends = list(accumulate(lengths, initial=8 + 24 * count))
    raws = [data[start:end] for start, end in pairwise(ends)]
    return list(zip(times, numbers, raws, strict=True))
