"""Turns written values into typed settings, with a sentence for each that cannot be used."""

import json
from collections.abc import Iterator
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeGuard,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from stream.settings.connections import Secret
from stream.settings.table import Table

#: Values that may hold a password: never shown, and read from a file by a variable ENGAGE_…_FILE.
HIDDEN = (
    "kafka.sasl_password", "kafka.ssl_key_password", "redis.password", "redis.ssl_key_password",
    "redis.url",
)  # fmt: skip
KINDS: dict[object, str] = {
    int: "a whole number", float: "a number", bool: "true or false", str: "a text",
    Secret: "a text", dict: "a table",
}  # fmt: skip
_PLURALS: dict[object, str] = {str: "texts", int: "whole numbers", dict: "tables"}

_T = TypeVar("_T", bound=Table)


class Given(NamedTuple):
    """A written value and its source; `is_text` values come from the environment."""

    value: object
    source: str
    is_text: bool


class Problem(NamedTuple):
    """A sentence about one key that says what is wrong and what to do."""

    key: str
    text: str


def build(table: type[_T], prefix: str, given: dict[str, Given], problems: list[Problem]) -> _T:
    """Build a table out of `given` and take the used values from it; a bad value counts as not given."""
    values: dict[str, Any] = {}
    for name, hint in hints(table).items():
        key = prefix + name
        if is_table(hint):
            values[name] = build(hint, f"{key}.", given, problems)
        if key in given:
            try:
                values[name] = _converted(key, hint, given.pop(key), problems)
            except msgspec.ValidationError as error:
                problems.append(Problem(key, str(error)))
                values.pop(name, None)
    try:
        return table(**values)
    except ValueError as error:
        # Raised by __post_init__; the message begins with the name of the field.
        name, _, text = str(error).partition(" ")
        problems.append(Problem(prefix + name, f"{prefix}{name}: {text}"))
        return table()


def _converted(key: str, hint: Any, given: Given, problems: list[Problem]) -> Any:
    """Convert a value to the type of its setting; raises ValidationError that names key and source."""
    value, kind = given.value, plain(hint)
    if given.is_text and isinstance(value, str):
        value = _from_text(value, kind)
    if get_origin(kind) is dict and isinstance(value, dict) and is_table(get_args(kind)[1]):
        return _tables(key, get_args(kind)[1], value, given.source, problems)
    try:
        if kind is Secret:
            return Secret(msgspec.convert(value, str))
        return msgspec.convert(value, hint, strict=not given.is_text)
    except msgspec.ValidationError as error:
        shown = "a value (hidden)" if key in HIDDEN else repr(given.value)[:80]
        if get_origin(kind) is tuple and is_table(get_args(kind)[0]):
            shown = str(error)  # It names the item and the field.
        text = f"{key} ({given.source}): found {shown}; use {wanted(key, hint)}"
        raise msgspec.ValidationError(text) from None


def _tables(
    key: str, table: type[Table], rows: dict[str, Any], source: str, problems: list[Problem]
) -> dict[str, Table]:
    """Build a table of tables, such as [sites.shop]."""
    built = {}
    for name, row in rows.items():
        prefix = f"{key}.{name}."
        if not isinstance(row, dict):
            problems.append(Problem(prefix[:-1], f"{prefix[:-1]} ({source}): use a table"))
            continue
        given = {prefix + field: Given(value, source, False) for field, value in row.items()}
        built[name] = build(table, prefix, given, problems)
        known = ", ".join(hints(table))
        problems.extend(
            Problem(left, f"{left} ({source}): unknown; known here: {known}") for left in given
        )
    return built


def _from_text(text: str, kind: Any) -> object:
    """Turn the text of a variable into data: JSON if it is JSON, else a comma-separated list."""
    if get_origin(kind) in (tuple, dict) or is_table(kind):
        try:
            return json.loads(text)
        except ValueError:
            return [part.strip() for part in text.split(",") if part.strip()]
    return None if text == "" and type(None) in get_args(kind) else text


def wanted(key: str, hint: Any) -> str:
    """Say in words what may be written."""
    kind = plain(hint)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(choice) or '""' for choice in get_args(kind))
    if is_table(kind):
        return f"a table [{key}]"
    if type(None) in get_args(kind):
        return wanted(key, get_args(kind)[0])
    if get_origin(kind) is tuple and is_table(get_args(kind)[0]):
        known = ", ".join(hints(get_args(kind)[0]))
        words = [f"a list of tables with {known}"]
    elif get_origin(kind) is tuple:
        item = plain(get_args(kind)[0])
        words = [f"a list of {_PLURALS.get(get_origin(item) or item, 'texts')}"]
    else:
        words = [KINDS[get_origin(kind) or kind]]
    for note in (n for n in notes(hint) if isinstance(n, msgspec.Meta)):
        words += [f"at least {note.ge}"] if note.ge is not None else []
        words += [f"above {note.gt}"] if note.gt is not None else []
        words += [f"at most {note.le}"] if note.le is not None else []
        words += [f"below {note.lt}"] if note.lt is not None else []
        words += [f"of at most {note.max_length}"] if note.max_length is not None else []
        words += [f"of the form {note.pattern}"] if note.pattern is not None else []
    return ", ".join(words)


@cache
def hints(table: type[Table]) -> dict[str, Any]:
    """Map the name of every field of a table to its annotated type."""
    return get_type_hints(table, include_extras=True)


def is_table(hint: object) -> TypeGuard[type[Table]]:
    """Whether a type is a table of its own, without notes."""
    return isinstance(hint, type) and issubclass(hint, Table)


def plain(hint: Any) -> Any:
    """Return the type without its `Annotated` notes."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def notes(hint: Any) -> tuple[Any, ...]:
    """Return the `Annotated` notes of a type: its bounds (msgspec.Meta) and its Help."""
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


def leaves(table: type[Table], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted key and the annotated type of every setting in a table and the tables in it."""
    for name, hint in hints(table).items():
        if is_table(hint):
            yield from leaves(hint, f"{prefix}{name}.")
        else:
            yield prefix + name, hint
