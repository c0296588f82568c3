"""Finds where an event goes: the topic of its type, the key of its person, the partition of the key."""

from collections.abc import Callable, Mapping
from typing import Final

from schemas.events import EVENT_TYPES, Event
from stream.people.keys import record_key
from stream.people.placeholder_ids import PlaceholderIds
from stream.settings.application import Settings

#: Keys whose partition is remembered: hashing one takes microseconds in Python.
_KNOWN_MAX: Final = 100_000
_POSITIVE: Final = 0x7FFFFFFF


def topics_by_type(settings: Settings) -> Mapping[str, str]:
    """Return the input topic of each event type; the first one for types whose topic is switched off."""
    first = settings.topics.inputs[0]
    return {
        name: getattr(settings.topics, kind.role) or first for name, kind in EVENT_TYPES.items()
    }


class Router:
    """Router of events to the partitions of the input topics, as the default partitioner chooses them."""

    def __init__(
        self, settings: Settings, partitions: int, hash_key: Callable[[bytes], int]
    ) -> None:
        """`partitions` is the count of every input topic; `hash_key` is murmur2."""
        self._placeholder_ids = PlaceholderIds(settings.ids.placeholders)
        self._by_visitor = settings.identity == "visitor"
        self._topics = topics_by_type(settings)
        self._partitions = partitions
        self._hash = hash_key
        self._known: dict[str, tuple[bytes, int]] = {}

    def route(self, event: Event) -> tuple[str, bytes, int]:
        """Return topic, key and partition of an event."""
        self._placeholder_ids.take_off(event)
        key = record_key(event.site, event.user_id, event.visitor_id, by_visitor=self._by_visitor)
        found = self._known.get(key)
        if found is None:
            found = self._find(key)
        return self._topics[event.__struct_config__.tag], *found  # type: ignore[index]

    def _find(self, key: str) -> tuple[bytes, int]:
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        raw = key.encode()
        found = self._known[key] = raw, (self._hash(raw) & _POSITIVE) % self._partitions
        return found
