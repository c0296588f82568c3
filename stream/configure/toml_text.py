"""Writes values as TOML."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 100


def toml_value(value: Any) -> str:
    """Write a value on one line; tables become inline tables."""
    if isinstance(value, str):
        # JSON escapes as TOML does, but leaves DEL as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{toml_key(key)} = {toml_value(one)}" for key, one in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(toml_value(one) for one in value)}]"
    return json.dumps(value)


def toml_line(key: str, value: Any) -> str:
    """Write `key = value`; a list that is too long for a line has one item a line."""
    line = f"{toml_key(key)} = {toml_value(value)}"
    if len(line) <= _WIDTH or isinstance(value, str | Mapping) or not isinstance(value, Sequence):
        return line
    items = "".join(f"    {toml_value(one)},\n" for one in value)
    return f"{toml_key(key)} = [\n{items}]"


def toml_key(name: str) -> str:
    """Write one part of a key, in quotes if it needs them."""
    return name if _BARE_KEY.fullmatch(name) else toml_value(name)
