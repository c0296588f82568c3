"""`engage settings`: prints the settings as an annotated engage.toml, or as JSON for programs."""

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from stream.configure.describe import Setting, describe
from stream.configure.fields import hints
from stream.configure.sources import variable_of
from stream.configure.toml_text import toml_key, toml_line
from stream.settings.application import Settings

_WIDTH = 98
_HEAD = """\
# Settings of engagement-stream, as printed by `engage settings`.
# A variable overrides its line: ENGAGE_WEB_PORT overrides port in [web].
"""
_BASIC_HEAD = """\
# Only the settings that most people set; `engage settings --all` prints every one.
"""


def print_settings(settings: Settings, *, everything: bool, format: str) -> int:
    """Print the settings as `toml` or `json`; 0."""
    if format == "json":
        text = json.dumps(as_objects(settings), ensure_ascii=False, indent=2) + "\n"
    else:
        text = as_toml(settings, everything=everything)
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


def as_objects(settings: Settings) -> list[dict[str, Any]]:
    """Describe every setting by an object of JSON's types; secrets are hidden."""
    return [
        {"key": one.key, "variable": variable_of(one.key), "value": one.value} | _as_object(one)
        for one in describe(settings)
    ]


def _as_object(setting: Setting) -> dict[str, Any]:
    about = setting.help
    return {
        "type": setting.type,
        "choices": list(setting.choices),
        "bounds": dict(setting.bounds),
        "default": setting.default,
        "basic": about.basic,
        "help": about.controls,
        "values": dict(about.values),
        "why": about.why,
        "example": about.example,
        "fields": {one.name: _as_object(one) for one in setting.fields},
    }


def as_toml(settings: Settings, *, everything: bool) -> str:
    """Write an engage.toml that loads back to these settings, secrets apart, with their help.

    Without `everything`: the basic settings, and those that differ from their default.
    """
    chosen = [
        one for one in describe(settings) if everything or one.help.basic or not one.is_default
    ]
    tables: dict[str, list[Setting]] = {"": []}
    for one in chosen:
        # A table of names, such as [sites], cannot stand before the last key without a table.
        tables.setdefault(one.key if _is_open_table(one) else one.table, []).append(one)
    lines = [_HEAD + ("" if everything else _BASIC_HEAD)]
    for name, members in tables.items():
        if not _is_open_table(members[0]) and name:
            lines.append(_comment(hints(Settings)[name].__doc__ or "") + f"\n[{name}]\n")
        lines += [_annotated(one) for one in members]
    return "\n".join(lines)


def _is_open_table(setting: Setting) -> bool:
    """Whether the setting is a table in which users choose the names."""
    return setting.type == "object" and not setting.table


def _annotated(setting: Setting) -> str:
    """The help as comments, then the line that sets the value; a comment if there is none to set."""
    about = setting.help
    lines = [_comment(about.controls)]
    lines += [_comment(f"{value}: {effect}", "#   ") for value, effect in about.values.items()]
    lines += [_comment(about.why)] if about.why else []
    if setting.value in (None, {}) or setting.type == "secret":
        example = about.example or f'{setting.name} = ""'
        lines += [f"# {line}" for line in example.splitlines()]
        if setting.value == {} and setting.table:
            lines.append(toml_line(setting.name, {}))
    elif _is_open_table(setting):
        lines += _open_table(setting.key, setting.value)
    else:
        lines += [f"# Example: {about.example}"] if about.example else []
        lines.append(toml_line(setting.name, setting.value))
    return "\n".join(lines) + "\n"


def _open_table(key: str, value: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a table in which users choose the names."""
    plain = {name: one for name, one in value.items() if not isinstance(one, Mapping)}
    if plain:
        yield f"[{key}]"
        yield from (toml_line(name, one) for name, one in plain.items())
    for name, fields in value.items():
        if name not in plain:
            yield f"[{key}.{toml_key(name)}]"
            yield from (toml_line(field, one) for field, one in fields.items())


def _comment(text: str, mark: str = "# ") -> str:
    indent = mark + ("  " if mark != "# " else "")
    return "\n".join(textwrap.wrap(text, _WIDTH, initial_indent=mark, subsequent_indent=indent))
