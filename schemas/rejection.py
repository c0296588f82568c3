"""Reasons for which a record is not counted, each with a detail that is safe to print."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Raw, ValidationError
from msgspec.json import Decoder

from schemas.envelope import ContextValue
from schemas.events import EVENT_TYPES
from schemas.foreign import epoch_unit, nearest_type, packaging, product

DETAIL_LIMIT = 200
FOUND_LIMIT = 64


class Reason(StrEnum):
    """Reason for which a record is not counted."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_FIELD = "missing_field"
    WRONG_FIELD = "wrong_field"
    NO_PERSON = "no_person"
    UNKNOWN_VERSION = "unknown_version"
    ABSURD_TIME = "absurd_time"
    # Decided after parsing: by the other records of the log, and by the settings.
    FUTURE = "future"
    LATE = "late"
    DUPLICATE = "duplicate"
    CURRENCY = "currency"
    CROWDED = "crowded"


#: Detail of a record without a value.
NO_VALUE: Final = "the record has no value: a tombstone, which says that something was deleted"
#: Detail of the events that parse and still are not counted.
DETAILS: Final = {
    Reason.NO_PERSON: "visitor_id and user_id are placeholders (setting `ids.placeholders`), or are absent",
    Reason.CROWDED: "the history of its person is full: they have 50,000 such events that still matter",
    Reason.CURRENCY: "currency differs from the setting `currency`, so the amount cannot be added",
    Reason.FUTURE: "event_time is more than time.max_future_skew_seconds after the Kafka timestamp",
    Reason.DUPLICATE: "event_id came before, within dedupe.window_seconds",
    Reason.LATE: "event_time is too far behind the newest event of its partition: see [time]",
}

#: Cause of each reason, for pages and help texts.
CAUSES: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.EMPTY: "the record has no value",
        Reason.TOO_LARGE: "the record is over 64 KiB",
        Reason.MALFORMED: "the bytes are not one JSON object in UTF-8, or are nested too deeply",
        Reason.UNKNOWN_TYPE: "`type` is not an event type",
        Reason.MISSING_FIELD: "a field that the type needs is absent, null or empty",
        Reason.WRONG_FIELD: "a field has the wrong type or is out of bounds",
        Reason.NO_PERSON: "the type needs a person, and `visitor_id` and `user_id` are both absent, null, "
        "empty, or among `ids.placeholders`",
        Reason.UNKNOWN_VERSION: "`schema_version` is not 1",
        Reason.ABSURD_TIME: "`event_time` is outside 1990 to 2199, or in seconds instead of "
        "milliseconds",
        Reason.FUTURE: "`event_time` is more than `time.max_future_skew_seconds` after the Kafka "
        "timestamp",
        Reason.LATE: "`event_time` is behind the newest event of its partition by more than "
        "`time.allowed_lateness_seconds` and `time.correction_window_seconds` together",
        Reason.DUPLICATE: "`event_id` came before, within `dedupe.window_seconds`",
        Reason.CROWDED: "the person has 50,000 events of this kind that still matter to numbers",
        Reason.CURRENCY: "the amount is in another currency than the setting `currency`",
    }
)


class RejectedEvent(Exception):
    """Reason and detail of an event that is not counted; the codec's only exception."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = printable(detail)
        super().__init__(reason, self.detail)


def printable(text: str, limit: int = DETAIL_LIMIT) -> str:
    """Cut `text` to `limit` and escape what could forge a log line or control a terminal."""
    text = text[:limit]
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)[:limit]


# Reads the top level of any well-formed event, with its fields unparsed.
_fields = Decoder(dict[str, Raw]).decode
_text = Decoder(str).decode
_context_value = Decoder(ContextValue).decode
_PATH = re.compile(r"at `(?:key` in `)?\$\.([^`.\[]+)")
_WHOLE_NUMBER = re.compile(rb"-?[0-9]+")
_TIMES = "use RFC 3339 with a zone, as 2025-03-10T10:00:00Z, or whole epoch milliseconds"
#: Sign of a wrong type in the decoder's message → what would be accepted.
_WANTED: Final[Mapping[re.Pattern[str], str]] = {
    re.compile(r"Expected `(?:float|int)\b.*, got `str`"): (
        "send a number without quotes, or let a source mapping turn texts into numbers"
    ),
    re.compile(r"Expected `str\b.*, got `(?:int|float|bool)`"): "send a text, in quotes",
    re.compile(r"Expected `bool\b.*, got `"): "send true or false, without quotes",
}


def explain(raw: bytes, error: Exception) -> RejectedEvent:
    """Find the reason for a decoder error. Reads `raw` again: this is off the hot path."""
    if not raw:
        return RejectedEvent(Reason.EMPTY, NO_VALUE)
    if not isinstance(error, ValidationError):
        return _malformed(raw, error)
    try:
        # The decoder stops at the first wrong field. Malformed JSON behind it matters more.
        fields = _fields(raw)
    except (ValueError, RecursionError) as malformed:
        return _malformed(raw, malformed)
    version = bytes(fields.get("schema_version", b"1"))
    if version != b"1" and _WHOLE_NUMBER.fullmatch(version):
        # Another version may differ in every field, so no other fault is worth naming.
        found = version[:FOUND_LIMIT].decode()
        return RejectedEvent(Reason.UNKNOWN_VERSION, f"$.schema_version: {found}, known is 1")
    return _unknown_type(fields) or _wrong_field(fields, str(error))


def _malformed(raw: bytes, error: Exception) -> RejectedEvent:
    if isinstance(error, RecursionError):
        return RejectedEvent(Reason.MALFORMED, "nested too deeply")
    found = packaging(raw)
    return RejectedEvent(Reason.MALFORMED, str(error) if found is None else f"{found}; {error}")


def _unknown_type(fields: dict[str, Raw]) -> RejectedEvent | None:
    try:
        tag = _text(fields.get("type", b""))
    except ValueError:
        return None  # absent or not a string: the decoder's message names it
    if tag in EVENT_TYPES:
        return None
    found = f"$.type: '{tag[:FOUND_LIMIT]}' is not an event type"
    parts = (found, nearest_type(tag[:FOUND_LIMIT]), _looks_like(fields))
    return RejectedEvent(Reason.UNKNOWN_TYPE, "; ".join(filter(None, parts)))


def _looks_like(fields: dict[str, Raw]) -> str:
    found = product(fields.keys())
    return f"this looks like {found}: engage detect FILE" if found else ""


def _wrong_field(fields: dict[str, Raw], message: str) -> RejectedEvent:
    if message.startswith("Object missing"):
        foreign = "" if "type" in fields else _looks_like(fields)
        return RejectedEvent(Reason.MISSING_FIELD, "; ".join(filter(None, (message, foreign))))
    path = _PATH.search(message)
    name = path[1] if path else ""
    value = bytes(fields.get(name, b""))
    if name == "event_time" and _WHOLE_NUMBER.fullmatch(value):
        found = value[:FOUND_LIMIT].decode()
        unit = epoch_unit(int(value[:FOUND_LIMIT]))
        guess = f", looks like {unit}" if unit else ""
        return RejectedEvent(
            Reason.ABSURD_TIME, f"$.event_time: {found} ms is outside 1990 to 2199{guess}; {_TIMES}"
        )
    if name == "context":
        message = message.replace("$.context[...]", _context_key(value))
    if name == "event_time" or not any(
        part in message for part in (", got ", "Invalid value", "Invalid enum")
    ):
        message = f"{message}, found {_found(name, value)}"
    return RejectedEvent(Reason.WRONG_FIELD, message + _hint(name, message))


def _context_key(value: bytes) -> str:
    """Return the path of the first value of a context that is neither a text of its size nor null."""
    try:
        values = _fields(value)
    except (ValueError, RecursionError):
        return "$.context"
    for key, found in values.items():
        try:
            _context_value(found)
        except ValueError:
            return f"$.context.{key[:FOUND_LIMIT]}"
    return "$.context"


def _hint(name: str, message: str) -> str:
    """Return what the field would accept, if the message does not say it."""
    if name == "event_time":
        return f"; {_TIMES}"
    wanted = (text for sign, text in _WANTED.items() if sign.search(message))
    return "".join(f"; {text}" for text in wanted)


def _found(name: str, value: bytes) -> str:
    """Show a wrong value: a number or a time as it is, of a text, which may be personal, its size."""
    if value[:1] in (b'"', b"{", b"[") and name != "event_time":
        return f"{len(value)} bytes"
    return value[:FOUND_LIMIT].decode(errors="replace")
