"""Turns a row of named cells into the JSON of an event: texts become what the event's fields are."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

from schemas.codec import Reason, RejectedEvent
from schemas.events import EVENT_TYPES

#: Columns without which no row is an event.
NEEDED = ("type", "event_id", "event_time")
#: Field whose parts have columns of their own: context.country.
_CONTEXT = "context"
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)")
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
Cell = Any


class HeaderError(ValueError):
    """The columns cannot be those of events."""


class Columns:
    """Columns of a table, named as the fields of events."""

    def __init__(self, names: Sequence[str]) -> None:
        twice = sorted({name for name in names if name and names.count(name) > 1})
        if twice:
            raise HeaderError(f"has two columns named {twice[0]!r}")
        if missing := [name for name in NEEDED if name not in names]:
            raise HeaderError(
                f"has no column {' and no column '.join(missing)}; name columns as the fields of "
                "events, such as event_time and context.country"
            )
        self.names = names
        self._parts = [name.removeprefix(f"{_CONTEXT}.") for name in names]
        self._in_context = [name.startswith(f"{_CONTEXT}.") for name in names]

    def event(self, cells: Iterable[Cell]) -> bytes | RejectedEvent:
        """Return the JSON of a row; an empty cell is a missing field."""
        fields: dict[str, Cell] = {}
        context: dict[str, str] = {}
        for name, in_context, cell in zip(self._parts, self._in_context, cells, strict=True):
            if cell is None or cell == "":
                continue
            if in_context:
                context[name] = cell if isinstance(cell, str) else str(cell)
            else:
                fields[name] = cell
        if (own := fields.get(_CONTEXT)) is not None:
            fields[_CONTEXT] = _as_context(own)
        if context:
            known = fields.get(_CONTEXT)
            fields[_CONTEXT] = {**known, **context} if isinstance(known, dict) else context
        for name, convert in _converters(str(fields.get("type"))):
            if (cell := fields.get(name)) is not None:
                fields[name] = convert(cell)
        try:
            return msgspec.json.encode(fields)
        except (TypeError, ValueError, OverflowError) as error:
            return RejectedEvent(Reason.MALFORMED, f"the row is not UTF-8 text: {error}")


def _as_context(cell: Cell) -> Cell:
    """Return a context that is one cell: JSON text, a struct, or a list of pairs."""
    if isinstance(cell, str) and cell.startswith("{"):
        try:
            return msgspec.json.decode(cell)
        except ValueError:
            return cell
    if isinstance(cell, list):
        return {str(name): value for name, value in cell if value is not None}
    if isinstance(cell, dict):
        return {name: value for name, value in cell.items() if value is not None}
    return cell


@lru_cache
def _converters(type_name: str) -> tuple[tuple[str, Callable[[Cell], Cell]], ...]:
    """Return the fields of an event type that are not texts, with what converts their cells."""
    kind = EVENT_TYPES.get(type_name)
    if kind is None:
        return ()
    fields = msgspec.structs.fields(kind.struct)
    found = ((one.encode_name, _converter(inspect.type_info(one.type))) for one in fields)
    return tuple((name, convert) for name, convert in found if convert)


def _converter(kind: inspect.Type) -> Callable[[Cell], Cell] | None:
    kinds = _plain_types(kind)
    if any(isinstance(one, inspect.DateTimeType) for one in kinds):
        return _time
    if any(isinstance(one, inspect.BoolType) for one in kinds):
        return _boolean
    if any(isinstance(one, inspect.IntType | inspect.FloatType) for one in kinds):
        return _number
    literals = [
        value for one in kinds if isinstance(one, inspect.LiteralType) for value in one.values
    ]
    return _number if any(isinstance(value, int) for value in literals) else None


def _plain_types(kind: inspect.Type) -> list[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        return _plain_types(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [plain for one in kind.types for plain in _plain_types(one)]
    return [kind]


def _number(cell: Cell) -> Cell:
    """Convert a text that is a number of JSON; another one stays, so that the event is refused."""
    if isinstance(cell, str):
        cell = cell.strip()
        if _WHOLE_NUMBER.fullmatch(cell) and len(cell) < 20:
            return int(cell)
        return float(cell) if _NUMBER.fullmatch(cell) else cell
    if isinstance(cell, float):
        if math.isnan(cell):
            return None
        return int(cell) if cell.is_integer() and abs(cell) < 1 << 53 else cell
    return cell


def _boolean(cell: Cell) -> Cell:
    return _BOOLEANS.get(cell.strip().lower(), cell) if isinstance(cell, str) else cell


def _time(cell: Cell) -> Cell:
    return int(cell) if isinstance(cell, str) and _WHOLE_NUMBER.fullmatch(cell) else cell
