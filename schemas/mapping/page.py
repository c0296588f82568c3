"""Writes the page of the presets and the table of converters: `python -m schemas.mapping.page`."""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from schemas.generate import with_block
from schemas.mapping.converters import CONVERTERS
from schemas.mapping.document import Condition, Constant, Digest, Field, FirstOf, Rule, Taken
from schemas.mapping.paths import Path as RecordPath
from schemas.mapping.preset import Preset, presets

_HERE = Path(__file__).parent
PAGE, LANGUAGE = _HERE / "PRESETS.md", _HERE / "README.md"
_HEAD = """# Presets

Generated from [presets/](presets) by `make generate`. A preset is a mapping that comes with the program. \
Rules of your own stand before its rules; fields of your own in `every` replace its fields. The language is \
explained in [Mappings](README.md).

`engage detect FILE` finds the preset of a file. `engage map --preset NAME FILE` shows what its records become.

"""
_DEFAULT_NAME = "NAME"


def presets_page() -> str:
    """Text of the page: a table of all presets, then a section for each."""
    rows = ["| preset | of | tried on the vendor's samples |\n", "| --- | --- | --- |\n"]
    rows += [
        f"| [`{one.name}`](#{one.name}) | {one.vendor} | {'yes' if one.tried else 'no'} |\n"
        for one in presets().values()
    ]
    return _HEAD + "".join(rows) + "".join(map(_section, presets().values()))


def _section(preset: Preset) -> str:
    lines = [
        f"\n## {preset.name}\n\n{preset.vendor}: [{_host(preset.source)}]({preset.source}), {preset.date}."
    ]
    if not preset.tried:
        lines.append(" Not tried on the vendor's samples.")
    if preset.aliases:
        names = ", ".join(f"`{alias}`" for alias in preset.aliases)
        lines.append(f" Also called {names}.")
    if preset.needs:
        lines.append(f" Needs {preset.needs}.")
    lines.append(f" {preset.note}\n\n" if preset.note else "\n\n")
    lines.append(f"```toml\n{snippet_of(preset)}```\n")
    if preset.written.every or preset.written.context:
        lines.append("\n| every event | from |\n| --- | --- |\n")
        lines += _rows(preset.written.every, preset.written.context)
    if preset.written.rules:
        lines.append("\n| when | becomes | from |\n| --- | --- | --- |\n")
        lines += [_rule(rule) for rule in preset.written.rules]
    return "".join(lines)


def snippet_of(preset: Preset) -> str:
    """Return the lines of engage.toml that use a preset, with an example of what a user adds."""
    found = re.search(r"\[\[sources\.(\w+)\.", preset.snippet)
    name = found[1] if found else _DEFAULT_NAME
    return f'[sources.{name}]\npreset = "{preset.name}"\n{preset.snippet.removeprefix(chr(10))}'


def _rows(fields: dict[str, Field], context: dict[str, Field]) -> Iterator[str]:
    for name, field in fields.items():
        yield f"| `{name}` | {_words(field)} |\n"
    for name, field in context.items():
        yield f"| `context.{name}` | {_words(field)} |\n"


def _rule(rule: Rule) -> str:
    when = "; ".join(map(_condition, rule.when)) or "always"
    if rule.type:
        fields = "<br>".join(f"`{name}` ← {_words(field)}" for name, field in rule.fields.items())
        return f"| {when} | `{rule.type}` | {fields} |\n"
    outcome = f"ignored: {rule.ignore}" if rule.ignore else f"refused: {rule.reject}"
    return f"| {when} | {outcome} | |\n"


def _condition(condition: Condition) -> str:
    return "; ".join(f"`{condition.path.text}` {_test(*one)}" for one in condition.tests)


def _test(test: str, wanted: object) -> str:
    if test in ("exists", "present"):
        return {"exists": "exists", "present": "is there"}[test] if wanted else f"is not {test}"
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    listed = " or ".join(f"`{_shown(value)}`" for value in values)
    words = {"is": "=", "in": "=", "not": "≠", "starts_with": "begins with", "above": ">",
             "differs_from": "differs from"}  # fmt: skip
    return f"{words[test]} {listed}"


def _shown(value: object) -> str:
    if isinstance(value, RecordPath):
        return value.text
    return str(value).lower() if isinstance(value, bool) else str(value)


def _words(field: Field) -> str:
    """Describe where a field comes from."""
    if isinstance(field, Constant):
        return f"always `{_shown(field.value)}`"
    if isinstance(field, FirstOf):
        return ", else ".join(map(_words, field.fields))
    if isinstance(field, Digest):
        parts = (" or ".join(f"`{path.text}`" for path in part) for part in field.parts)
        return f"digest of {', '.join(parts)}"
    assert isinstance(field, Taken)
    text = ", else ".join(f"`{path.text}`" for path in field.paths)
    if field.conversion is not None:
        text += f" as {field.conversion.name}"
    if field.map is not None:
        pairs = (f"`{key}`: `{_shown(value)}`" for key, value in field.map.items())
        text += f" ({', '.join(pairs)})"
    if field.otherwise is not None:
        text += f"; without one `{_shown(field.otherwise)}`"
    return text


def _host(address: str) -> str:
    return address.partition("//")[2].partition("/")[0]


def converters_table() -> str:
    """Table of the converters with their options."""
    lines = ["| `as` | gives | options |\n", "| --- | --- | --- |\n"]
    for name, one in CONVERTERS.items():
        options = ", ".join(
            f"`{option}`" + ("" if kind.is_needed else " (may be left out)")
            for option, kind in one.options.items()
        )
        lines.append(f"| `{name}` | {one.meaning} | {options} |\n")
    return "".join(lines)


def _wanted() -> dict[Path, str]:
    language = with_block(LANGUAGE.read_text("utf-8"), "converters", converters_table())
    return {PAGE: presets_page(), LANGUAGE: language}


def main(arguments: Sequence[str]) -> int:
    """Write the pages; with --check name those that are not current instead, and return 1 for that."""
    if list(arguments) not in ([], ["--check"]):
        print("usage: python -m schemas.mapping.page [--check]", file=sys.stderr)
        return 2
    if not LANGUAGE.exists():
        return 0  # installed without the pages
    old = [
        page
        for page, text in _wanted().items()
        if not page.exists() or page.read_text("utf-8") != text
    ]
    for page in old:
        if arguments:
            print(
                f"{page.name} is not current: run python -m schemas.mapping.page", file=sys.stderr
            )
        else:
            page.write_text(_wanted()[page], "utf-8")
    return 1 if arguments and old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
