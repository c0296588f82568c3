"""Fields of our events that hold texts: a whole number in one of them, such as an id, becomes its text."""

from functools import cache

from msgspec import inspect

from schemas.events import EVENT_TYPES


@cache
def text_fields(event_type: str) -> frozenset[str]:
    """Return the names of the fields of an event type that hold texts."""
    found = inspect.type_info(EVENT_TYPES[event_type].struct)
    assert isinstance(found, inspect.StructType)
    return frozenset(field.encode_name for field in found.fields if _holds_text(field.type))


def _holds_text(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return _holds_text(kind.type)
    if isinstance(kind, inspect.UnionType):
        return any(map(_holds_text, kind.types))
    return isinstance(kind, inspect.StrType)
