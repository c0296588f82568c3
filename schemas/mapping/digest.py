"""Makes an id out of parts of a record: the same record has the same id on every replay."""

from hashlib import blake2b
from typing import Final

from msgspec.json import encode

from schemas.mapping.values import RefusedValue, as_text, is_absent, shown

_BYTES: Final = 16


def digest(parts: tuple[object, ...], of_any: bool) -> str | None:
    """Return 128 bits of BLAKE2b of the parts as hex digits; None if a part is absent.

    With `of_any` None only if all are absent. Raises RefusedValue for objects and lists.
    """
    absent = [is_absent(part) for part in parts]
    if all(absent) if of_any else any(absent):
        return None
    texts = []
    for part, is_missing in zip(parts, absent, strict=True):
        if isinstance(part, dict | list):
            raise RefusedValue(f"{shown(part)} is no part of an id")
        texts.append(None if is_missing else as_text(part))
    # As JSON: a and bc are other parts than ab and c.
    try:
        return blake2b(encode(texts), digest_size=_BYTES).hexdigest()
    except UnicodeEncodeError:
        raise RefusedValue("a part of an id is no Unicode text") from None
