"""Finds the duplicates of a whole input: events of one site with the same event_id."""

import struct
from collections.abc import Iterator
from hashlib import blake2b

from stream.report.spill import Place, Spill

#: Digest of site and id, event time in epoch ms, number over all inputs.
_ENTRY = struct.Struct("<16sqq")
#: Parts that are compared one at a time.
PARTS = 256
#: Bytes of entries held in memory.
MEMORY_BYTES = 64 << 20


class Duplicates:
    """Numbers of the events whose id an older event of their site has; of equal times the first counts.

    Ids are kept as digests of 128 bits, divided by their first byte, so that one part at a time is
    compared.
    """

    def __init__(self, spill: Spill) -> None:
        self._spill = spill
        self._parts = [bytearray() for _ in range(PARTS)]
        self._spilled: list[list[Place]] = [[] for _ in range(PARTS)]
        self._size = 0
        #: A bit for each number.
        self._found = bytearray()

    def add(self, site: str, event_id: str, time_ms: int, number: int) -> None:
        """Note an event. Raises SpillError."""
        name = f"{len(site)}:{site}{event_id}".encode("utf-8", "surrogatepass")
        digest = blake2b(name, digest_size=16).digest()
        self._parts[digest[0]] += _ENTRY.pack(digest, time_ms, number)
        self._size += _ENTRY.size
        if self._size >= MEMORY_BYTES:
            self._move()

    def find(self, numbers: int) -> None:
        """Compare all ids of events with a number below `numbers`, once all are noted."""
        self._found = bytearray(numbers // 8 + 1)
        for part, places in zip(self._parts, self._spilled, strict=True):
            for number in later_ones(b"".join(map(self._spill.read, places)) + part):
                self._found[number >> 3] |= 1 << (number & 7)
        self._parts = []

    def __contains__(self, number: int) -> bool:
        """Whether the event with this number is a duplicate."""
        return bool(self._found[number >> 3] & 1 << (number & 7))

    def give_up(self) -> list[list[Place]]:
        """Move all entries to the spill; return the places of each part. Raises SpillError."""
        self._move()
        self._parts = []
        return self._spilled

    def _move(self) -> None:
        for part, places in zip(self._parts, self._spilled, strict=True):
            if part:
                places.append(self._spill.write(part))
                part.clear()
        self._size = 0


def later_ones(entries: bytes) -> Iterator[int]:
    """Yield the number of each event whose id an older one among `entries` has."""
    first: dict[bytes, tuple[int, int]] = {}
    for digest, time_ms, number in _ENTRY.iter_unpack(entries):
        known = first.setdefault(digest, (time_ms, number))
        if known[1] != number:
            later = max(known, (time_ms, number))[1]
            if later != number:
                first[digest] = (time_ms, number)
            yield later
