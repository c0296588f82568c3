"""Dead letters: build one of bounded size from any record, and encode it."""

from hashlib import sha256
from typing import Final

from msgspec.json import Encoder

from schemas.outputs import DeadLetter
from schemas.rejection import Reason, printable

MAX_ORIGINAL: Final = 4096
MAX_KEY: Final = 1024

_encode: Final = Encoder().encode


def encode_dead_letter(entry: DeadLetter) -> bytes:
    """Encode a dead letter as JSON, with `key` and `original` in base64."""
    return _encode(entry)


def dead_letter(
    reason: Reason,
    detail: str,
    *,
    topic: str,
    partition: int,
    offset: int,
    timestamp_ms: int,
    key: bytes | None,
    original: bytes | None,
    event_time_ms: int | None = None,
) -> DeadLetter:
    """Build a dead letter; a longer key or original is cut, and a hash of the original added."""
    original = original or b""
    size = len(original)
    truncated = size > MAX_ORIGINAL or (key is not None and len(key) > MAX_KEY)
    return DeadLetter(
        reason=reason,
        detail=printable(detail),
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp_ms=timestamp_ms,
        key=key[:MAX_KEY] if truncated and key else key,
        original=original[:MAX_ORIGINAL] if truncated else original,
        original_size=size,
        truncated=truncated,
        event_time_ms=event_time_ms,
        sha256=sha256(original).hexdigest() if truncated else None,
    )
