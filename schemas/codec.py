"""Parse the bytes of a Kafka record: into one event with its time, or into one rejection."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import accumulate
from typing import Final

from msgspec import Raw, ValidationError
from msgspec.json import Decoder, encode

from schemas.envelope import Context, WithContext
from schemas.events import PERSONLESS, Event
from schemas.rejection import NO_VALUE, Reason, RejectedEvent, explain

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Reason", "RejectedEvent", "epoch_ms", "parse", "parse_all"]

MAX_BYTES = 65_536
# Far below the interpreter's own limit: how much of that is left depends on the caller, and a replay
# must accept exactly what the live run accepted.
MAX_DEPTH = 500

#: Too short to be nested deeper, so the brackets of most events are never counted.
_SMALL: Final = 2 * MAX_DEPTH
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
#: Levels of brackets dropped unread: long flat lists are common and harmless.
_FLAT: Final = 2
_ALL_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_STEP: Final = {ord("["): 1, ord("]"): -1}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = (date(1990, 1, 1) - date(1970, 1, 1)).days
_LAST_DAY: Final = (date(2199, 12, 31) - date(1970, 1, 1)).days
_DAY_MS: Final = 86_400_000

_decode: Final = Decoder(Event).decode
_decode_context: Final = Decoder(WithContext).decode
_decode_fields: Final = Decoder(dict[str, Raw]).decode
#: Values that mean the same as no field.
_ABSENT: Final = (b"null", b'""')

#: Decoded contexts by their bytes: bounded in number and in size.
_contexts: Final[dict[bytes, Context]] = {}
_CONTEXTS_MAX: Final = 20_000
_CONTEXT_BYTES_MAX: Final = 512


def parse(raw: bytes | None) -> tuple[Event, int]:
    """Return the event in `raw` and its time in epoch ms; raise nothing but RejectedEvent."""
    read = _read(raw)
    if isinstance(read, RejectedEvent):
        raise read
    return read


def parse_all(raws: Iterable[bytes | None]) -> list[tuple[Event, int] | RejectedEvent]:
    """Parse each value; a rejection is returned in the place of its event."""
    return [_read(raw) for raw in raws]


def _read(raw: bytes | None) -> tuple[Event, int] | RejectedEvent:
    """Parse `raw`; a rejection is returned, because raising costs as much as reading an event."""
    if raw is None:
        return RejectedEvent(Reason.EMPTY, NO_VALUE)
    if len(raw) > _SMALL and (refused := _out_of_bounds(raw)):
        return refused
    try:
        if not raw.isascii():
            raw.decode()  # the decoder does not look into the strings of fields it skips
        event = _decode(raw)
        if event.context is not None:
            found = bytes(event.context)  # a msgspec.Raw until here
            event.context = _contexts.get(found) or _context(found)
    except (ValueError, RecursionError) as error:
        if isinstance(error, ValidationError) and (present := _present_fields(raw)):
            return _read(present)
        return explain(raw, error)
    time = event.event_time
    if type(time) is int:
        ms = time
    else:
        # epoch_ms, inlined: a call would cost as much as the arithmetic.
        since = time - _EPOCH
        days = since.days
        if not _FIRST_DAY <= days <= _LAST_DAY:
            found_time = f"$.event_time: {time} is outside 1990 to 2199"
            return RejectedEvent(Reason.ABSURD_TIME, found_time)
        ms = days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000
    if event.session_id == "":
        event.session_id = None
    if not (event.user_id and event.visitor_id) and not _has_person(event):
        return RejectedEvent(
            Reason.NO_PERSON, "$.visitor_id and $.user_id are both absent, null or empty"
        )
    return event, ms


def _has_person(event: Event) -> bool:
    """Whether an event without one of the ids has the other, or needs none; empty ids become None."""
    user, visitor = event.user_id, event.visitor_id
    if user == "":
        event.user_id = None
    if visitor == "":
        event.visitor_id = None
    return bool(user or visitor) or type(event) in PERSONLESS


def _present_fields(raw: bytes) -> bytes | None:
    """Return the event without its fields that are null or empty; None if it has none of these.

    The decoder has refused the event, so this is off the hot path: the ids that trackers often leave
    empty are no reason for that.
    """
    try:
        fields = _decode_fields(raw)
    except (ValueError, RecursionError):
        return None
    present = {name: value for name, value in fields.items() if bytes(value) not in _ABSENT}
    return encode(present) if len(present) < len(fields) else None


def _context(raw: bytes) -> Context | None:
    """Decode a new context. Raises what the decoder raises, with the path in the event."""
    fields = _decode_context(b'{"context":%b}' % raw).context
    if fields is None:
        return None
    context = Context({name: value for name, value in fields.items() if value})
    if len(raw) <= _CONTEXT_BYTES_MAX:
        if len(_contexts) >= _CONTEXTS_MAX:
            _contexts.clear()
        _contexts[raw] = context
    return context


def epoch_ms(time: datetime | int) -> int:
    """Convert an event's time to whole epoch milliseconds, rounded down."""
    if isinstance(time, int):
        return time
    since = time - _EPOCH
    return since.days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000


def _out_of_bounds(raw: bytes) -> RejectedEvent | None:
    """Return a rejection if `raw` is too large, or nested too deeply for a caller's stack."""
    if len(raw) > MAX_BYTES:
        return RejectedEvent(Reason.TOO_LARGE, f"{len(raw)} bytes, at most {MAX_BYTES}")
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and too_deep(raw):
        return RejectedEvent(Reason.MALFORMED, f"nested deeper than {MAX_DEPTH}")
    return None


def too_deep(raw: bytes) -> bool:
    """Whether the brackets outside strings open deeper than MAX_DEPTH; in C, not byte by byte."""
    unescaped = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside = b"".join(unescaped.split(b'"')[::2])
    brackets = outside.translate(_ALL_SQUARE, _NOT_BRACKETS)
    for _ in range(_FLAT):
        brackets = brackets.replace(b"[]", b"")  # removes the innermost level of every nest
    # any() stops at the first level too deep, so hostile bytes cannot cost more.
    limit = MAX_DEPTH - _FLAT
    return any(depth > limit for depth in accumulate(map(_STEP.__getitem__, brackets)))
