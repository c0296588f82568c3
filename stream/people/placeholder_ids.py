"""Placeholder ids: values that a tracker sends instead of an unknown id, such as `undefined`."""

from collections.abc import Iterable

from schemas.envelope import Envelope


class PlaceholderIds:
    """Test of ids, by `ids.placeholders`. Such an id is read as absent, so it is taken off its event."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(_plain(name) for name in names)
        #: The usual spellings of the names, for a look that every event can afford.
        self.spellings = frozenset(
            form for name in self._names for form in (name, name.upper(), name.capitalize())
        )

    def has(self, one: str) -> bool:
        """Whether an id is a placeholder, in letters of any case and with spaces around it."""
        return _plain(one) in self._names

    def take_off(self, event: Envelope) -> None:
        """Remove the placeholder ids from an event."""
        if event.user_id is not None and self.has(event.user_id):
            event.user_id = None
        if event.visitor_id is not None and self.has(event.visitor_id):
            event.visitor_id = None


def _plain(one: str) -> str:
    return one.strip().lower()
