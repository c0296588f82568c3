"""Why an event was refused: one countable reason, and a detail that is safe to print."""

import re
from enum import StrEnum
from typing import Final

from msgspec import Raw, ValidationError
from msgspec.json import Decoder

from schemas.events import EVENT_TYPES

DETAIL_LIMIT = 200
FOUND_LIMIT = 64


class Reason(StrEnum):
    """Every way in which an event can fail to be counted."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_FIELD = "missing_field"
    WRONG_FIELD = "wrong_field"
    NO_PERSON = "no_person"
    UNKNOWN_VERSION = "unknown_version"
    ABSURD_TIME = "absurd_time"
    # These are decided after parsing, by what else the log holds and by the configuration.
    FUTURE = "future"
    LATE = "late"
    DUPLICATE = "duplicate"
    CURRENCY = "currency"
    SKIPPED = "skipped"


#: What is said of events that parse and still do not count.
DETAILS: Final = {
    Reason.CURRENCY: "currency is another one than the setting `currency`; amounts cannot be added",
    Reason.FUTURE: "event_time is ahead of the Kafka timestamp by more than max_future_skew",
    Reason.DUPLICATE: "event_id was seen before within the dedupe window",
    Reason.LATE: "event_time is behind the partition's newest by more than the correction window",
}


class RejectedEvent(Exception):
    """An event that is not counted; the only exception that leaves the codec."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = printable(detail)
        super().__init__(reason, self.detail)


def printable(text: str, limit: int = DETAIL_LIMIT) -> str:
    """`text`, bounded, with whatever could forge a log line or turn a terminal around escaped."""
    text = text[:limit]
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)[:limit]


# The fields of the top level, unparsed: reads any well-formed event, whatever is wrong with it.
_fields = Decoder(dict[str, Raw]).decode
_text = Decoder(str).decode
_PATH = re.compile(r"at `(?:key` in `)?\$\.([^`.\[]+)")
_WHOLE_NUMBER = re.compile(rb"-?[0-9]+")


def explain(raw: bytes, error: Exception) -> RejectedEvent:
    """Why the decoder refused `raw` with `error`; off the hot path, so it may look again."""
    if not raw:
        return RejectedEvent(Reason.EMPTY, "the record has no value")
    if not isinstance(error, ValidationError):
        return _malformed(error)
    try:
        # The decoder stops at the first wrong field; if what follows is no JSON, that matters more.
        fields = _fields(raw)
    except (ValueError, RecursionError) as malformed:
        return _malformed(malformed)
    version = bytes(fields.get("schema_version", b"1"))
    if version != b"1" and _WHOLE_NUMBER.fullmatch(version):
        # Another version may differ in anything, so nothing else about it is worth saying.
        found = version[:FOUND_LIMIT].decode()
        return RejectedEvent(Reason.UNKNOWN_VERSION, f"$.schema_version: {found}, known is 1")
    return _unknown_type(fields) or _wrong_field(fields, str(error))


def _malformed(error: Exception) -> RejectedEvent:
    if isinstance(error, RecursionError):
        return RejectedEvent(Reason.MALFORMED, "nested too deeply")
    return RejectedEvent(Reason.MALFORMED, str(error))


def _unknown_type(fields: dict[str, Raw]) -> RejectedEvent | None:
    try:
        tag = _text(fields.get("type", b""))
    except ValueError:
        return None  # absent or not a string: the decoder has said so
    if tag in EVENT_TYPES:
        return None
    return RejectedEvent(Reason.UNKNOWN_TYPE, f"$.type: '{tag[:FOUND_LIMIT]}' is not an event type")


def _wrong_field(fields: dict[str, Raw], message: str) -> RejectedEvent:
    if message.startswith("Object missing"):
        return RejectedEvent(Reason.MISSING_FIELD, message)
    path = _PATH.search(message)
    name = path[1] if path else ""
    value = bytes(fields.get(name, b""))
    if name == "event_time" and _WHOLE_NUMBER.fullmatch(value):
        found = value[:FOUND_LIMIT].decode()
        return RejectedEvent(
            Reason.ABSURD_TIME, f"$.event_time: {found} ms is outside 1990 to 2199"
        )
    if not any(said in message for said in (", got ", "Invalid value", "Invalid enum")):
        message = f"{message}, found {_found(name, value)}"
    return RejectedEvent(Reason.WRONG_FIELD, message)


def _found(name: str, value: bytes) -> str:
    """What stands there: a number or a time as it is; of text, which may be personal, the size."""
    if value[:1] in (b'"', b"{", b"[") and name != "event_time":
        return f"{len(value)} bytes"
    return value[:FOUND_LIMIT].decode(errors="replace")
