"""Reads the elements of a JSON array one by one, without holding the array in memory."""

import io
import re
from collections.abc import Iterator

import msgspec

_CHUNK_BYTES = 1 << 18
_SPACE = b" \t\r\n"
#: An element may end before a comma or the end of the array.
_BORDER = {b"{": re.compile(rb"\}(?=\s*[,\]])"), b"[": re.compile(rb"\](?=\s*[,\]])")}
_PLAIN_BORDER = re.compile(rb"(?=[,\]])")
_TOKEN = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)
_is_whole = msgspec.json.Decoder(msgspec.Raw).decode


class BrokenArrayError(ValueError):
    """The array is not valid JSON, or ends early."""


def elements(source: io.BufferedReader, longest: int) -> Iterator[bytes]:
    """Yield the elements of one array, or of several in a row; too long ones cut at `longest`.

    Raises BrokenArrayError after the last good element.
    """
    reader = _Reader(source, longest)
    while reader.next_byte():
        if reader.take() != b"[":
            raise BrokenArrayError("text follows the array")
        yield from _one_array(reader)


def _one_array(reader: "_Reader") -> Iterator[bytes]:
    while True:
        found = reader.next_byte()
        if found == b"]":
            reader.take()
            return
        if not found:
            raise BrokenArrayError("the array has no end")
        yield reader.element(found)
        after = reader.next_byte() and reader.take()
        if after == b"]":
            return
        if after != b",":
            raise BrokenArrayError("a comma is missing" if after else "the array has no end")


class _Reader:
    """The text that is in memory, from `place` on."""

    def __init__(self, source: io.BufferedReader, longest: int) -> None:
        self._source, self._longest = source, longest
        self._text, self._place = b"", 0

    def next_byte(self) -> bytes:
        """Return the next byte that is no space, without taking it; empty at the end."""
        while True:
            text = self._text
            while self._place < len(text) and text[self._place] in _SPACE:
                self._place += 1
            if self._place < len(text):
                return text[self._place : self._place + 1]
            if not self._more():
                return b""

    def take(self) -> bytes:
        """Take one byte."""
        self._place += 1
        return self._text[self._place - 1 : self._place]

    def element(self, first: bytes) -> bytes:
        """Take an element that begins with `first`."""
        border = _BORDER.get(first, _PLAIN_BORDER)
        # Relative to `place`, which moves when more is read.
        scanned = 1
        while True:
            match = border.search(self._text, self._place + scanned)
            if match is None:
                scanned = max(len(self._text.rstrip()) - self._place - 1, 1)
                if len(self._text) - self._place > self._longest:
                    return self._long_element()
                if not self._more():
                    return self._last_element()
                continue
            piece = self._text[self._place : match.end()].rstrip()
            if len(piece) > self._longest:
                return self._long_element()
            try:
                _is_whole(piece)
            except (msgspec.DecodeError, RecursionError) as error:
                if isinstance(error, RecursionError):
                    return self._long_element()
                if "truncated" not in str(error):
                    raise BrokenArrayError(str(error)) from error
                scanned = match.end() - self._place
                continue
            self._place = match.end()
            return piece

    def _last_element(self) -> bytes:
        """Take the rest, which is an element if only the end of the array is missing."""
        rest = self._text[self._place :].rstrip()
        try:
            _is_whole(rest)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BrokenArrayError("the array has no end") from error
        self._place = len(self._text)
        return rest

    def _long_element(self) -> bytes:
        """Take an element by its brackets alone; return its first `longest` bytes."""
        kept = b""
        depth, in_text = 0, False
        while True:
            for match in _TOKEN.finditer(self._text, self._place):
                token = match.group()
                if token == b'"':
                    in_text = not in_text
                elif not in_text and len(token) == 1:
                    depth += 1 if token in b"[{" else -1
                    if depth == 0:
                        kept += self._text[self._place : match.end()]
                        self._place = match.end()
                        return kept[: self._longest]
            # A backslash at the end belongs to what follows.
            end = len(self._text) - self._text.endswith(b"\\")
            kept = (kept + self._text[self._place : end])[: self._longest]
            self._place = end
            if not self._more():
                raise BrokenArrayError("the array has no end")

    def _more(self) -> bool:
        """Read on; return False at the end."""
        more = self._source.read1(_CHUNK_BYTES)
        self._text, self._place = self._text[self._place :] + more, 0
        return bool(more)
