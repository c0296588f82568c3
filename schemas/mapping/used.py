"""Fields of records that a mapping uses, and those that records have: for what lies unused."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from schemas.mapping.document import FirstOf, Mapping, Taken, paths_of
from schemas.mapping.paths import Path

_DEPTH_MAX: Final = 6
_FIELDS_MAX: Final = 500


def used_paths(mapping: Mapping) -> frozenset[str]:
    """Return the paths of a mapping as fields of a record: places in lists are left out."""
    return frozenset(_names(mapping))


def _names(mapping: Mapping) -> Iterator[str]:
    for path in _paths(mapping):
        if path.root in ("", "record"):
            names = [step for step in path.steps if isinstance(step, str)]
            # What a path leads to is used, and so is what is below it.
            yield ".".join(names)
        else:
            yield f"${path.root}"


def _paths(mapping: Mapping) -> Iterator[Path]:
    yield from mapping.discriminator
    for condition in (*mapping.when, *(one for rule in mapping.rules for one in rule.when)):
        yield condition.path
        yield from (wanted for _, wanted in condition.tests if isinstance(wanted, Path))
    for rule in mapping.rules:
        for field in (*rule.fields.values(), *rule.context.values()):
            yield from paths_of(field)
            yield from _options(field)


def _options(field: object) -> Iterator[Path]:
    """Yield the list of a converter with the fields that it reads of each object."""
    parts = field.fields if isinstance(field, FirstOf) else (field,)
    for part in parts:
        if isinstance(part, Taken) and part.conversion is not None:
            for value in part.conversion.options.values():
                for inner in value if isinstance(value, tuple) else ():
                    for path in part.paths:
                        yield Path("", path.root, (*path.steps, *inner.steps))


def unused_fields(items: Iterable[object], used: Collection[str]) -> set[str]:
    """Return the dotted fields of the items of a record that are neither used nor inside a used one."""
    names: set[str] = set()
    for item in items:
        _collect(item, "", 0, names)
    return {name for name in names if not any(_is_in(name, one) for one in used)}


def _is_in(name: str, used: str) -> bool:
    return name == used or (bool(used) and name.startswith(f"{used}."))


def _collect(value: object, prefix: str, depth: int, names: set[str]) -> None:
    if len(names) >= _FIELDS_MAX:
        return
    if isinstance(value, dict) and depth < _DEPTH_MAX:
        for name, one in value.items():
            _collect(one, f"{prefix}.{name}" if prefix else str(name), depth + 1, names)
    elif isinstance(value, list) and value and isinstance(value[0], dict) and depth < _DEPTH_MAX:
        for one in value[:10]:
            _collect(one, prefix, depth + 1, names)
    elif prefix and value not in (None, ""):
        names.add(prefix)
