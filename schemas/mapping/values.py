"""Values of foreign records: what is absent, what a text or a number is, and why one is refused."""

import re
from typing import Final

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+")
_SHOWN: Final = 40
_DIGITS_MAX: Final = 400
#: Beyond all amounts and times; sums and products of such numbers stay finite.
_LARGEST: Final = 10**30
_WORDS: Final = {
    str: "text",
    bool: "boolean",
    dict: "object",
    list: "list",
    int: "number",
    float: "number",
}


class RefusedValue(ValueError):
    """A value cannot become what the mapping wants; the message says why."""


def is_absent(value: object) -> bool:
    """Whether a value means the same as no field: null or an empty text."""
    return value is None or value == ""


def shown(value: object) -> str:
    """Show a value in a message: numbers as they are, of a text only the beginning, of the rest the kind."""
    if isinstance(value, str):
        return repr(value[:_SHOWN])
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_SHOWN else "a huge number"
    if isinstance(value, float):
        return repr(value)
    return f"an {_WORDS[dict]}" if isinstance(value, dict) else "a list"


def as_text(value: object) -> str:
    """Return a text, or the text of a number or a boolean. Raises RefusedValue."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int and abs(value) < 10**_DIGITS_MAX:
        return str(value)
    if type(value) is float:
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    raise RefusedValue(f"{shown(value)} is no text")


def as_number(value: object) -> int | float:
    """Return a finite number, also out of a text. Raises RefusedValue."""
    if type(value) is str and len(value) <= _DIGITS_MAX:
        text = value.strip()
        if _NUMBER.fullmatch(text):
            value = int(text) if _WHOLE.fullmatch(text) else float(text)
    if type(value) is int and abs(value) < _LARGEST:
        return value
    if type(value) is float and abs(value) < _LARGEST:
        return value
    raise RefusedValue(f"{shown(value)} is no number")


def as_integer(value: object) -> int:
    """Return a whole number. Raises RefusedValue."""
    number = as_number(value)
    if number != int(number):
        raise RefusedValue(f"{shown(value)} is no whole number")
    return int(number)


def as_boolean(value: object) -> bool:
    """Return true or false, also out of a text or of 1 and 0. Raises RefusedValue."""
    if type(value) is bool:
        return value
    known = {"true": True, "false": False, "1": True, "0": False}
    text = str(value).lower() if type(value) in (str, int) else ""
    if text not in known:
        raise RefusedValue(f"{shown(value)} is neither true nor false")
    return known[text]


def same(left: object, right: object) -> bool:
    """Whether two values are equal and of one kind: 1 and 1.0 are, 1 and true are not."""
    return left == right and (type(left) is bool) == (type(right) is bool)
