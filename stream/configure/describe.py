"""Describes every setting for people and programs: type, choices, bounds, default, value and help."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import msgspec

from stream.configure.fields import hints, is_table, notes, plain, wanted
from stream.configure.toml_text import toml_value
from stream.settings.application import Settings
from stream.settings.connections import Secret
from stream.settings.table import Help, Table

Type = Literal["string", "integer", "number", "boolean", "array", "object", "secret"]
_TYPES: Mapping[object, Type] = {
    str: "string", int: "integer", float: "number", bool: "boolean", tuple: "array",
    dict: "object", Secret: "secret",
}  # fmt: skip
#: Attribute of msgspec.Meta → name of the bound.
_BOUNDS = {
    "ge": "minimum", "gt": "exclusive_minimum", "le": "maximum", "lt": "exclusive_maximum",
    "max_length": "max_items", "pattern": "pattern",
}  # fmt: skip
NOT_SET = "(not set)"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, with its value in a configuration."""

    #: Dotted, as session.timeout_seconds.
    key: str
    type: Type
    #: What may be written, in words: one of gt, gte.
    words: str
    #: The only values that may be written; empty: any value of the type.
    choices: tuple[str | int, ...]
    bounds: Mapping[str, int | float | str]
    #: None: not set. The text of a secret is never here.
    default: Any
    value: Any
    help: Help
    #: Fields of each item, if the setting is a selection, a list of tables or a table of tables.
    fields: tuple["Setting", ...] = ()

    @property
    def table(self) -> str:
        """Table of engage.toml in which it is written; empty: before all tables."""
        return self.key.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Key within its table."""
        return self.key.rpartition(".")[2]

    @property
    def is_default(self) -> bool:
        """Whether the value is the default."""
        return bool(self.value == self.default)

    @property
    def text(self) -> str:
        """The value as in TOML; a secret is hidden."""
        return NOT_SET if self.value is None else toml_value(self.value)


def describe(settings: Settings) -> list[Setting]:
    """Describe all settings, those before the tables first."""
    found = list(_described(Settings, "", Settings(), settings))
    return [one for one in found if not one.table] + [one for one in found if one.table]


def describe_table(table: type[Table]) -> tuple[Setting, ...]:
    """Describe the fields of a table, at their defaults."""
    return tuple(_described(table, "", table(), table()))


def _described(table: type[Table], prefix: str, defaults: Any, values: Any) -> Iterator[Setting]:
    for name, hint in hints(table).items():
        default, value = getattr(defaults, name), getattr(values, name)
        if is_table(hint):
            yield from _described(hint, f"{prefix}{name}.", default, value)
            continue
        kind = _kind(hint)
        yield Setting(
            key=prefix + name,
            type="object" if is_table(kind) else _TYPES[get_origin(kind) or kind],
            words=wanted(prefix + name, hint),
            choices=_choices(hint),
            bounds=dict(_bounds(hint)),
            default=_shown(default),
            value=_shown(value),
            help=next((note for note in notes(hint) if isinstance(note, Help)), Help("")),
            fields=_fields(kind),
        )


def _fields(kind: Any) -> tuple[Setting, ...]:
    inner = (kind, *get_args(kind))
    return next((describe_table(one) for one in inner if is_table(one)), ())


def _kind(hint: Any) -> Any:
    """The type behind the notes, of choices and of an optional setting."""
    kind = _required(hint)
    if get_origin(kind) is Literal:
        return type(get_args(kind)[0])
    return kind


def _required(hint: Any) -> Any:
    """The type without notes; of an optional setting, that of a value."""
    kind = plain(hint)
    return plain(get_args(kind)[0]) if type(None) in get_args(kind) else kind


def _choices(hint: Any) -> tuple[str | int, ...]:
    kind = _required(hint)
    return get_args(kind) if get_origin(kind) is Literal else ()


def _bounds(hint: Any) -> Iterator[tuple[str, int | float | str]]:
    kind = plain(hint)
    inner = notes(get_args(kind)[0]) if type(None) in get_args(kind) else ()
    for note in (*notes(hint), *inner):
        if isinstance(note, msgspec.Meta):
            for attribute, name in _BOUNDS.items():
                if (bound := getattr(note, attribute)) is not None:
                    yield name, bound


def _shown(value: Any) -> Any:
    """The value in JSON's types; a secret is None or asterisks."""
    if isinstance(value, Secret):
        return repr(value) if value else None
    return msgspec.to_builtins(value)
