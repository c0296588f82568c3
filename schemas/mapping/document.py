"""A mapping as it is written: conditions, rules and where each field of an event comes from."""

from typing import Any, Literal, TypeAlias

from msgspec import Struct

from schemas.mapping.paths import Path

#: Paths of a field in a message.
_PATHS_SHOWN = 2

Scalar: TypeAlias = str | int | float | bool
Packed: TypeAlias = Literal["json", "base64_json", "query"]
Test: TypeAlias = Literal[
    "is", "in", "exists", "present", "not", "starts_with", "above", "differs_from"
]


class Constant(Struct, frozen=True):
    """A value that is always the same."""

    value: Scalar


class Digest(Struct, frozen=True):
    """An id made of parts, each the first of its paths; absent if a part is, or with `any` if all are."""

    parts: tuple[tuple[Path, ...], ...]
    any: bool = False


class Conversion(Struct, frozen=True):
    """A converter with its options; paths of options are lists of alternatives."""

    name: str
    options: dict[str, Any]


class Taken(Struct, frozen=True):
    """The first value of some paths that is not absent, converted, then looked up in a map."""

    paths: tuple[Path, ...]
    conversion: Conversion | None = None
    map: dict[str, Scalar] | None = None
    otherwise: Scalar | None = None


class FirstOf(Struct, frozen=True):
    """The first of several fields that is not absent."""

    fields: tuple[Constant | Digest | Taken, ...]


Field: TypeAlias = Constant | Digest | Taken | FirstOf


class Condition(Struct, frozen=True):
    """Tests of the value at a path; all of them must hold."""

    path: Path
    tests: tuple[tuple[Test, Any], ...]


class Rule(Struct, frozen=True, kw_only=True):
    """Outcome of a record if all conditions hold: an event, nothing, or a refusal."""

    #: Place among the rules, for people: `rule 2`, or `preset rule 2`.
    label: str
    #: Dotted key of the rule, for messages about the mapping.
    key: str
    when: tuple[Condition, ...] = ()
    type: str = ""
    ignore: str = ""
    reject: str = ""
    suffix: str = ""
    fields: dict[str, Field] = {}
    context: dict[str, Field] = {}

    @property
    def name(self) -> str:
        """The rule with its event type, for messages."""
        return f"{self.label} ({self.type})" if self.type else self.label


class Mapping(Struct, frozen=True, kw_only=True):
    """Mapping of the records of a source to events."""

    name: str
    format: str = "json"
    #: Texts in the record that hold JSON or a query string.
    parse: tuple[tuple[Path, Packed], ...] = ()
    #: Place that stands for the record, where it has one.
    unwrap: Path | None = None
    #: List whose elements are mapped one by one, where the record has one.
    each: Path | None = None
    each_as: Literal["", "query"] = ""
    each_parse: tuple[tuple[Path, Packed], ...] = ()
    tombstones: Literal["reject", "ignore"] = "reject"
    match: Literal["first", "all"] = "first"
    when: tuple[Condition, ...] = ()
    #: Fields that name the kind of a record that no rule took.
    discriminator: tuple[Path, ...] = ()
    rules: tuple[Rule, ...] = ()


def paths_of(field: Field) -> tuple[Path, ...]:
    """Return all paths that a field is taken from."""
    if isinstance(field, Taken):
        options = field.conversion.options if field.conversion else {}
        return (*field.paths, *(options["currency"] if _has_record_currency(field) else ()))
    if isinstance(field, Digest):
        return tuple(path for part in field.parts for path in part)
    if isinstance(field, FirstOf):
        return tuple(path for one in field.fields for path in paths_of(one))
    return ()


def _has_record_currency(field: Taken) -> bool:
    return field.conversion is not None and field.conversion.name == "minor_units"


def place_of(field: Field) -> str:
    """Return the paths of a field in words."""
    if isinstance(field, Constant):
        return "its fixed value"
    paths = field.paths if isinstance(field, Taken) else paths_of(field)
    joint = " and " if isinstance(field, Digest) else " or "
    shown = joint.join(path.text for path in paths[:_PATHS_SHOWN])
    return (
        shown if len(paths) <= _PATHS_SHOWN else f"{shown}{joint}{len(paths) - _PATHS_SHOWN} more"
    )
