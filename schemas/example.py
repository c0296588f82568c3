"""Least example of an event type: an event with the fields that its struct requires."""

from typing import Any

import msgspec
from msgspec import inspect

from schemas.codec import RejectedEvent, parse
from schemas.event_type import EventType

_TIME = "2025-03-14T09:04:26.535Z"


def least_example(kind: EventType) -> str:
    """Build the JSON of an event with one value for each required field.

    Raises ValueError if the type wants more than its fields' bounds say: write that example by hand.
    """
    fields: dict[str, Any] = {"type": kind.name, "event_id": f"{kind.name}-1", "event_time": _TIME}
    if kind.has_person:
        fields["visitor_id"] = "visitor-1"
    for field in msgspec.structs.fields(kind.struct):
        if field.required and field.name not in fields:
            fields[field.name] = _value(field.name, inspect.type_info(field.type))
    text = msgspec.json.format(msgspec.json.encode(fields)).decode() + "\n"
    try:
        parse(text.encode())
    except RejectedEvent as rejected:
        found = f"{kind.name}: no example can be derived ({rejected.detail}); write it by hand"
        raise ValueError(found) from rejected
    return text


def _value(name: str, kind: inspect.Type) -> Any:
    """Choose the lowest value within the bounds; for a text the name of its field."""
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        return max(1, kind.ge or 0)
    if isinstance(kind, inspect.BoolType):
        return True
    if isinstance(kind, inspect.UnionType | inspect.DateTimeType):
        return _TIME
    return "/" if name.endswith("url") else f"{name.removesuffix('_id')}-1"
