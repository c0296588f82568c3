"""Formats of foreign records: bytes become an object of fields."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from msgspec import DecodeError
from msgspec.json import Decoder

from schemas.codec import MAX_DEPTH, too_deep
from schemas.mapping.record import Record
from schemas.mapping.snowplow_tsv import snowplow_fields

#: Largest record of a foreign topic.
RECORD_BYTES_MAX: Final = 1 << 20
_CONFLUENT_MAGIC, _CONFLUENT_BYTES = b"\0", 5
_FIELDS_MAX: Final = 1_000
_CE_PREFIX: Final = "ce_"
_LINE = re.compile(
    r'(?P<host>\S+) (?P<ident>\S+) (?P<user>[^\[\]"]*?) \[(?P<time>[^\]]+)\] '
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<bytes>\d+|-)'
    r'(?: "(?P<referrer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?.*'
)
_REQUEST = re.compile(r"(?P<method>[A-Z]+) (?P<path>\S+)(?: (?P<protocol>\S+))?")
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,5})$")

_decode = Decoder().decode


class UndecodableError(ValueError):
    """The bytes are not of the format; the message says why."""


def parse_json(raw: bytes | str) -> object:
    """Read JSON whose nesting is bounded. Raises UndecodableError."""
    data = raw.encode() if isinstance(raw, str) else raw
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and too_deep(data):
        raise UndecodableError(f"nested deeper than {MAX_DEPTH}")
    try:
        if not data.isascii():
            data.decode()
        return _decode(data)
    except (DecodeError, ValueError, RecursionError) as error:
        raise UndecodableError(str(error)) from None


def read_object(raw: bytes) -> dict[str, Any] | None:
    """Read an object of JSON in bounds, quickly; None for all that needs a closer look."""
    if len(raw) > RECORD_BYTES_MAX or raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        return None
    try:
        if not raw.isascii():
            raw.decode()
        found = _decode(raw)
    except (DecodeError, ValueError, RecursionError):
        return None
    return found if type(found) is dict else None


def parse_query(text: str) -> dict[str, object]:
    """Read a query string; of equal names the last counts. Raises UndecodableError."""
    try:
        pairs = parse_qsl(
            text.removeprefix("?"), keep_blank_values=True, max_num_fields=_FIELDS_MAX
        )
    except ValueError as error:
        raise UndecodableError(str(error)) from None
    return dict(pairs)


def unpack(how: str, value: object) -> object:
    """Read what a text in a record holds. Raises UndecodableError."""
    if not isinstance(value, str):
        return value  # absent, or an object already
    if how == "query":
        return parse_query(value)
    if how == "json":
        return parse_json(value)
    try:
        return parse_json(base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_"))
    except (binascii.Error, ValueError) as error:
        raise UndecodableError(f"no JSON in base64: {error}") from None


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise UndecodableError(str(error)) from None


def _json(raw: bytes, _: Record) -> object:
    return parse_json(raw)


def _json_schema(raw: bytes, _: Record) -> object:
    """Read JSON behind Confluent's magic byte and schema id, or without it."""
    if raw.startswith(_CONFLUENT_MAGIC):
        raw = raw[_CONFLUENT_BYTES:]
    return parse_json(raw)


def _connect(raw: bytes, _: Record) -> object:
    """Read Kafka Connect's JSON, with or without its schema."""
    found = parse_json(raw)
    if isinstance(found, dict) and "payload" in found and found.keys() <= {"schema", "payload"}:
        return found["payload"]
    return found


def _query(raw: bytes, _: Record) -> object:
    return parse_query(_text(raw).strip())


def _snowplow_tsv(raw: bytes, _: Record) -> object:
    try:
        return snowplow_fields(_text(raw).rstrip("\r\n"), parse_json)
    except ValueError as error:
        raise UndecodableError(str(error)) from None


def _access_log(raw: bytes, _: Record) -> object:
    """Read a line of the common or combined log format."""
    found = _LINE.fullmatch(_text(raw).strip())
    if found is None:
        raise UndecodableError("no line of the common or combined log format")
    fields: dict[str, Any] = {
        name: value for name, value in found.groupdict().items() if value not in (None, "-", "")
    }
    fields["status"] = int(found["status"])
    if request := _REQUEST.fullmatch(found["request"]):
        fields |= {name: value for name, value in request.groupdict().items() if value}
        if extension := _EXTENSION.search(request["path"].partition("?")[0]):
            fields["extension"] = extension[1].lower()
    return fields


def _cloudevents(raw: bytes, record: Record) -> object:
    """Read a CloudEvent: its attributes, and its payload in `data`, whatever the mode."""
    names = [name for name in record.headers if name.startswith(_CE_PREFIX)]
    if names:
        event: dict[str, Any] = {
            name.removeprefix(_CE_PREFIX): record.header(name) for name in names
        }
        event["data"] = parse_json(raw) if raw else None
        return event
    found = parse_json(raw)
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict) and "data" not in one and "data_base64" in one:
            one["data"] = unpack("base64_json", one["data_base64"])
    return found


Format = Callable[[bytes, Record], object]
#: Name → reader of the bytes. Raises UndecodableError.
FORMATS: Final[Mapping[str, Format]] = {
    "json": _json,
    "json_schema": _json_schema,
    "kafka_connect": _connect,
    "debezium": _connect,
    "cloudevents": _cloudevents,
    "query": _query,
    "snowplow_tsv": _snowplow_tsv,
    "access_log": _access_log,
}
#: Formats whose records may hold any bytes, and so are no lines of a file.
FRAMED: Final = ("json_schema",)


def decode(name: str, record: Record) -> object:
    """Read a record; None for a tombstone. Raises UndecodableError."""
    raw = record.value
    if raw is None:
        if name == "cloudevents" and any(n.startswith(_CE_PREFIX) for n in record.headers):
            raw = b""
        else:
            return None
    if len(raw) > RECORD_BYTES_MAX:
        raise UndecodableError(f"{len(raw)} bytes, at most {RECORD_BYTES_MAX}")
    return FORMATS[name](raw, record)
