"""A stored person, as a msgpack array without its empty end.

Fields are stored by position: new ones go to the end and have a default.
"""

from typing import Any

import msgspec

#: (ids of the segments, top, mask, and of days the first one).
StoredBitmap = tuple[Any, ...]


class StoredPerson(msgspec.Struct, array_like=True, gc=False):
    """Fields of a person as `pack` writes them; what an event does not touch stays as it is."""

    active: list[StoredBitmap] = []
    live: list[StoredBitmap] = []
    sessions: list[tuple[Any, ...]] = []
    clicked: list[StoredBitmap] = []
    subscriptions: list[tuple[Any, ...]] = []
    history: dict[str, list[tuple[Any, ...]]] = {}
    #: Key of the person, if the churn model publishes people.
    key: str = ""
    hours: list[StoredBitmap] = []


def read_person(raw: bytes) -> StoredPerson:
    """Return the fields of a stored person. Raises msgspec.DecodeError on other bytes."""
    return _decode(raw)


_decode = msgspec.msgpack.Decoder(StoredPerson).decode
