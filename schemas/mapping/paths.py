"""Paths into a foreign record: `a.b`, `a."x:y".c`, `a[0]`, `a[key=name].b`, and roots such as `$key`."""

import re
from typing import Final

from msgspec import Struct

#: Names of the roots beside the record itself.
ROOTS: Final = ("key", "headers", "timestamp", "topic", "partition", "offset", "index", "record")
STEPS_MAX: Final = 12
#: Roots that have fields of their own.
_OPEN_ROOTS: Final = ("key", "headers", "record")
_STEP = re.compile(
    r"""(?P<dot>\.)?(?:(?P<name>[^.\[\]"=]+)|"(?P<quoted>[^"]+)")"""
    r"""|\[(?P<index>-?\d+)\]"""
    r"""|\[(?:"(?P<quoted_field>[^"]+)"|(?P<field>[^\]="]+))=(?:"(?P<text>[^"]*)"|(?P<value>[^\]"]*))\]"""
)


class Select(Struct, frozen=True):
    """A step to the first object of a list whose field holds a text."""

    field: str
    value: str


#: A step: a field of an object, a place in a list, or the first object of a list with a field's value.
Step = str | int | Select


class Path(Struct, frozen=True):
    """A place in a record. `root` is empty for the record, else one of ROOTS."""

    text: str
    root: str
    steps: tuple[Step, ...]


class PathError(ValueError):
    """A text is no path; the message says why."""


def parse_path(text: str) -> Path:
    """Read a path. Raises PathError."""
    if not text:
        raise PathError("a path is empty; name a field")
    steps, root, place = list[Step](), "", 0
    while place < len(text):
        found = _STEP.match(text, place)
        if found is None or (found["dot"] is None and not text.startswith("[", place) and place):
            raise PathError(
                f'{text!r} is no path: see character {place + 1}; quote odd names as a."b"'
            )
        if found["dot"] is not None and place == 0:
            raise PathError(f"{text!r} begins with a dot; leave it out")
        name = found["quoted"] or found["name"]
        if name is not None and place == 0 and text.startswith("$") and name[1:] in ROOTS:
            root = name[1:]
        else:
            steps.append(_step(found, name))
        place = found.end()
    if len(steps) > STEPS_MAX:
        raise PathError(f"{text!r} has {len(steps)} steps; at most {STEPS_MAX}")
    if root == "headers" and not (len(steps) == 1 and isinstance(steps[0], str)):
        raise PathError(f'{text!r} names no header; write $headers.NAME, or $headers."a-b"')
    if steps and root and root not in _OPEN_ROOTS:
        raise PathError(f"{text!r}: ${root} has no fields")
    return Path(text, root, tuple(steps))


def _step(found: re.Match[str], name: str | None) -> Step:
    if name is not None:
        return name
    if found["index"] is not None:
        return int(found["index"])
    value = found["text"] if found["text"] is not None else found["value"]
    return Select(found["quoted_field"] or found["field"], value)


def at_place(value: object, place: int) -> object:
    """Return the element of a list, or None."""
    if type(value) is list and -len(value) <= place < len(value):
        return value[place]
    return None


def selected(value: object, field: str, wanted: str) -> object:
    """Return the first object of a list whose field holds the text, or None."""
    if type(value) is list:
        for one in value:
            if type(one) is dict and one.get(field) == wanted:
                return one
    return None
