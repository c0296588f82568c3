"""A record of Kafka, or a line of a file in its place: value, key, headers, time and place."""

from collections.abc import Mapping

from msgspec import DecodeError, Struct
from msgspec.json import decode


class Record(Struct, kw_only=True):
    """A record of a foreign topic."""

    value: bytes | None
    key: bytes | None = None
    headers: Mapping[str, bytes] = {}
    #: Time of the Kafka record in epoch ms; None in a file of values alone.
    timestamp: int | None = None
    topic: str = ""
    partition: int = 0
    offset: int = 0
    #: The whole record once it is decoded; the root `$record`.
    whole: object = None

    def key_text(self) -> str | None:
        """Return the key as a text, or None."""
        return None if self.key is None else self.key.decode(errors="replace")

    def key_value(self) -> object:
        """Return the key read as JSON; None if it is none."""
        try:
            found: object = decode(self.key or b"null")
        except (DecodeError, RecursionError, ValueError):
            return None
        # Kafka Connect's JSON with a schema
        return (
            found["payload"]
            if isinstance(found, dict) and found.keys() == {"schema", "payload"}
            else found
        )

    def header(self, name: str) -> str | None:
        """Return a header as a text, or None."""
        found = self.headers.get(name)
        return None if found is None else found.decode(errors="replace")
