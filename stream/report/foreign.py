"""Reads the records of foreign files: lines, lines of `kcat -J`, or one framed record a file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas.mapping.formats import FRAMED, RECORD_BYTES_MAX
from schemas.mapping.record import Record
from schemas.rejection import RejectedEvent
from stream.report.input import read_items
from stream.report.opening import InputError, is_file, opened, shown_name, why

#: Suffix of a file beside a sample, with what Kafka keeps beside the values.
SIDECAR: Final = ".kafka.json"
_CONFLUENT_MAGIC: Final = b"\0"
_LONGEST: Final = RECORD_BYTES_MAX + 2


class _Kcat(msgspec.Struct):
    """A line of `kcat -J`."""

    topic: str
    partition: int
    offset: int
    payload: str | None
    ts: int | None = None
    key: str | None = None
    headers: list[str | None] = []


class Beside(msgspec.Struct, forbid_unknown_fields=True):
    """Key, headers, time and place that Kafka keeps beside the values of a file: NAME.kafka.json."""

    key: Any = None
    headers: dict[str, str] = {}
    timestamp: int | None = None
    topic: str | None = None
    partition: int = 0
    #: Offset of the first record; each next one is one higher.
    offset: int = 0
    note: str = ""


_kcat = msgspec.json.Decoder(_Kcat).decode


def read_records(
    name: str, format: str, timestamp: int | None = None
) -> Iterator[tuple[int, Record | RejectedEvent]]:
    """Yield the number and the record of each line that is not blank; raise InputError.

    A record's offset is its line's number less one, its topic the name of the file. `timestamp` stands
    for Kafka's time where a file has none.
    """
    beside = _beside(name)
    topic = beside.topic or Path(name).name
    key = (
        beside.key if beside.key is None or isinstance(beside.key, str) else json.dumps(beside.key)
    )
    headers = {header: text.encode() for header, text in beside.headers.items()}
    for number, item in _items(name, format):
        if isinstance(item, RejectedEvent):
            yield number, item
            continue
        if item.startswith(b"{") and (record := _of_kcat(item)):
            yield number, record
            continue
        yield (
            number,
            Record(
                # A tombstone has no bytes at all; in a file of lines `null` stands for it.
                value=None if item.strip() == b"null" else item,
                key=None if key is None else key.encode(),
                headers=headers,
                timestamp=timestamp if beside.timestamp is None else beside.timestamp,
                topic=topic,
                partition=beside.partition,
                offset=beside.offset + number - 1,
            ),
        )


def _items(name: str, format: str) -> Iterator[tuple[int, bytes | RejectedEvent]]:
    if format in FRAMED and is_file(name) and (framed := _framed(name)):
        yield 1, framed
        return
    for number, item in enumerate(read_items(name, _LONGEST), start=1):
        if isinstance(item, RejectedEvent) or item.strip():
            yield number, item


def _framed(name: str) -> bytes | None:
    """Return the whole file if it is one record in Confluent's wire format."""
    try:
        with opened(name) as source:
            raw = source.read(_LONGEST)
    except OSError as error:
        raise InputError(f"{shown_name(name)} cannot be read: {why(error)}") from error
    return raw if raw.startswith(_CONFLUENT_MAGIC) else None


def _of_kcat(line: bytes) -> Record | None:
    """Return the record in a line of `kcat -J`; None for another line."""
    if b'"payload"' not in line or b'"offset"' not in line:
        return None
    try:
        found = _kcat(line)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    pairs = zip(found.headers[::2], found.headers[1::2], strict=False)
    return Record(
        value=None if found.payload is None else found.payload.encode(),
        key=None if found.key is None else found.key.encode(),
        headers={name: text.encode() for name, text in pairs if name and text is not None},
        timestamp=found.ts,
        topic=found.topic,
        partition=found.partition,
        offset=found.offset,
    )


def _beside(name: str) -> Beside:
    place = Path(name + SIDECAR)
    if not is_file(name) or not place.is_file():
        return Beside()
    try:
        return msgspec.json.decode(place.read_bytes(), type=Beside)
    except (msgspec.DecodeError, OSError, ValueError) as error:
        raise InputError(f"{shown_name(str(place))} cannot be used: {error}") from error
