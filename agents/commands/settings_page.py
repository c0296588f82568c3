"""Writes the page of all settings, stream/settings/README.md, or checks that it is current."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from stream.configure.describe import Setting, describe, describe_table
from stream.configure.fields import hints
from stream.settings.application import Settings
from stream.settings.definitions import Selection

FILE = Path(__file__).resolve().parents[2] / "stream" / "settings" / "README.md"
_HEAD = """\
# Settings

Generated from the tables in this folder by `make generate`. `engage settings` prints the basic
settings as an annotated `engage.toml`, `engage settings --all` every one, and
`engage settings --format json` all of them for programs.

Settings are read from `./engage.toml` or the file of `--config`. A variable overrides its setting:
`ENGAGE_SESSION_TIMEOUT_SECONDS` overrides `session.timeout_seconds`. Lists in variables are separated
by commas, tables are JSON. `ENGAGE_KAFKA_SASL_PASSWORD_FILE`, `ENGAGE_REDIS_PASSWORD_FILE` and
`ENGAGE_REDIS_URL_FILE` name files that hold secrets. A wrong setting refuses the start; all mistakes
are listed at once.
"""
_BASIC = """\
## Basic settings

Most people set only some of these. Their help is in the tables below.
"""


def page(settings: Settings) -> str:
    """Write the whole page: the basic settings by name, then all settings table by table."""
    rows = describe(settings)
    tables: dict[str, list[Setting]] = {}
    for one in rows:
        tables.setdefault(one.table, []).append(one)
    parts = [_HEAD, _BASIC, _basic_table(one for one in rows if one.help.basic)]
    for name, members in tables.items():
        about = hints(Settings)[name].__doc__ if name else "Settings before all tables."
        title = f"`[{name}]`" if name else "Application"
        parts += [f"## {title}\n\n{about}\n", _full_table(members), *_open_tables(members)]
    about = "Goals, measures, funnels and some settings choose events by a type and conditions."
    parts += [f"## Selections of events\n\n{about}\n", _full_table(describe_table(Selection))]
    return "\n".join(parts)


def _basic_table(rows: Iterable[Setting]) -> str:
    return _table(
        ("setting", "default", "what it controls"),
        ((f"`{one.key}`", _code(one.text), one.help.controls) for one in rows),
    )


def _full_table(rows: Iterable[Setting]) -> str:
    return _table(
        ("setting", "type", "default", "help"),
        ((f"`{one.name}`", _type(one), _code(one.text), _help(one)) for one in rows),
    )


def _type(setting: Setting) -> str:
    pattern = str(setting.bounds.get("pattern", ""))
    words = setting.words.replace(pattern, _code(pattern)) if pattern else setting.words
    return words.removeprefix("a ")


def _help(setting: Setting) -> str:
    about = setting.help
    values = (f"{_code(value)}: {effect}" for value, effect in about.values.items())
    lines = [about.controls, *values, about.why]
    if about.example and "\n" not in about.example:
        lines.append(f"Example: {_code(about.example)}")
    return "<br>".join(line for line in lines if line)


def _open_tables(rows: Iterable[Setting]) -> Iterator[str]:
    """A section for each table in which users choose the names."""
    for one in rows:
        if "\n" in one.help.example:
            title = f"`[{one.key}.NAME]`" if one.fields else f"`[{one.key}]`"
            yield f"### {title}\n\n```toml\n{one.help.example}\n```\n"
            if one.fields:
                yield _full_table(one.fields)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(titles: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [titles, ["---"] * len(titles), *rows]
    lines = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in cells)
    return "".join(f"| {line} |\n" for line in lines)


def main(arguments: Sequence[str], file: Path = FILE) -> int:
    """Write the page, or with --check return 1 if it is not current."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m agents.commands.settings_page [--check]", file=sys.stderr)
        return 2
    text = page(Settings())
    if not arguments:
        file.write_text(text, "utf-8")
    elif not file.exists() or file.read_text("utf-8") != text:
        print(f"{file} is not current: run make generate", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
