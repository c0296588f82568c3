"""Reads where one field comes from: a path, several, a fixed value, a digest, or a converted value."""

from typing import Any, Final, Protocol

from schemas.mapping.converters import CONVERTERS, Option
from schemas.mapping.document import Constant, Conversion, Digest, Field, FirstOf, Taken
from schemas.mapping.paths import Path
from schemas.mapping.times import zone_of
from schemas.suggest import did_you_mean

_SCALE_MAX: Final = 38
_FORMS: Final = (
    "a path, a list of paths, { value = … }, { id = [paths] }, or { from = path, as = converter }"
)
_WORDS: Final = ("from", "as", "map", "else")


class PathReader(Protocol):
    """Reads paths and collects problems."""

    def note(self, key: str, text: str) -> None:
        """Note a problem at a key."""

    def path(self, key: str, written: object) -> Path | None:
        """Read a path; note a problem if it is none."""


def read_field(reader: PathReader, key: str, written: object) -> Field | None:
    """Read where a field comes from; note what cannot be used."""
    if isinstance(written, str):
        path = reader.path(key, written)
        return Taken((path,)) if path else None
    if isinstance(written, list | tuple) and written:
        if all(isinstance(one, str) for one in written):
            paths = _paths(reader, key, written)
            return Taken(paths) if paths else None
        parts = [read_field(reader, key, one) for one in written]
        found = tuple(p for p in parts if isinstance(p, Constant | Digest | Taken))
        return FirstOf(found) if len(found) == len(parts) else None
    if not isinstance(written, dict):
        reader.note(key, f"found {written!r:.60}; use {_FORMS}")
        return None
    if "value" in written:
        return _constant(reader, key, written)
    if "id" in written or "id_any" in written:
        return _digest(reader, key, written)
    return _taken(reader, key, written)


def _constant(reader: PathReader, key: str, written: dict[str, Any]) -> Constant | None:
    value = written["value"]
    if len(written) > 1 or not isinstance(value, str | int | float | bool):
        reader.note(key, "use { value = … } with one text, number or boolean and nothing beside it")
        return None
    return Constant(value)


def _digest(reader: PathReader, key: str, written: dict[str, Any]) -> Digest | None:
    name = "id" if "id" in written else "id_any"
    listed = written[name]
    if len(written) > 1 or not isinstance(listed, list | tuple) or not listed:
        reader.note(key, f"use {{ {name} = [paths] }} and nothing beside it")
        return None
    parts = [_paths(reader, key, one if isinstance(one, list | tuple) else [one]) for one in listed]
    return Digest(tuple(parts), any=name == "id_any") if all(parts) else None


def _taken(reader: PathReader, key: str, written: dict[str, Any]) -> Taken | None:
    source = written.get("from")
    if source is None:
        reader.note(key, f"does not say where it comes from; use {_FORMS}")
        return None
    paths = _paths(reader, key, source if isinstance(source, list | tuple) else [source])
    options = {name: one for name, one in written.items() if name not in _WORDS}
    conversion = _conversion(reader, key, written.get("as"), options)
    table, otherwise = written.get("map"), written.get("else")
    if table is not None and not (
        isinstance(table, dict) and table and all(map(_is_scalar, table.values()))
    ):
        reader.note(f"{key}.map", "use a table of texts, numbers or booleans")
        return None
    if otherwise is not None and not _is_scalar(otherwise):
        reader.note(f"{key}.else", "use a text, a number or a boolean")
        return None
    return Taken(paths, conversion, table, otherwise) if paths else None


def _conversion(
    reader: PathReader, key: str, name: object, written: dict[str, Any]
) -> Conversion | None:
    if name is None:
        for option in written:
            guess = did_you_mean(option, _WORDS, "options stand beside `as`")
            reader.note(f"{key}.{option}", f"is unknown here; {guess}")
        return None
    converter = CONVERTERS.get(name) if isinstance(name, str) else None
    if converter is None:
        guess = did_you_mean(str(name), CONVERTERS, f"there are {', '.join(CONVERTERS)}")
        reader.note(f"{key}.as", f"{name!r:.60} is no converter; {guess}")
        return None
    options: dict[str, Any] = {}
    for option, value in written.items():
        kind = converter.options.get(option)
        if kind is None:
            known = ", ".join(converter.options) or "none"
            reader.note(f"{key}.{option}", f"is no option of {name}; its options: {known}")
        elif (read := _option(reader, f"{key}.{option}", kind, value)) is not None:
            options[option] = read
    for option, kind in converter.options.items():
        if kind.is_needed and option not in written:
            reader.note(key, f'as = "{name}" needs `{option}`')
    complete = all(o in options for o, kind in converter.options.items() if kind.is_needed)
    return Conversion(str(name), options) if complete else None


def _option(reader: PathReader, key: str, option: Option, value: object) -> object:
    if option.kind == "scale":
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _SCALE_MAX:
            return value
        reader.note(key, f"use a whole number from 0 to {_SCALE_MAX}")
        return None
    if option.kind == "zone":
        try:
            zone_of(str(value))
        except (KeyError, ValueError, OSError):
            reader.note(key, f"{value!r:.60} is no IANA time zone, such as UTC or Europe/Berlin")
            return None
        return value
    return _paths(reader, key, value if isinstance(value, list | tuple) else [value]) or None


def _paths(reader: PathReader, key: str, written: list[Any] | tuple[Any, ...]) -> tuple[Path, ...]:
    found = [reader.path(key, one) for one in written]
    return tuple(path for path in found if path) if all(found) else ()


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float | bool)
