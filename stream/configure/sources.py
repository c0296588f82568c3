"""Reads written settings, from the TOML file and the ENGAGE_… variables, into one flat mapping."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from schemas.suggest import did_you_mean
from stream.configure.fields import HIDDEN, Given, Problem, hints, is_table, leaves
from stream.settings.application import Settings
from stream.settings.connections import Secret
from stream.settings.table import Table

PREFIX = "ENGAGE_"
# Variables with the prefix that are not settings: switches of this program and its tests, and the
# links that Kubernetes injects for a service called `engage`.
FOREIGN = re.compile(r"^ENGAGE_(CONFIG$|TEST_|BENCH_|SERVICE_(HOST|PORT)|PORT($|_\d+_))")


def text_of(file: Path, problems: list[Problem]) -> str:
    """Return the text of a file; if it cannot be read, note a problem and return an empty text."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        text = f"{file}: cannot be read ({reason}); give the right path with --config"
        problems.append(Problem(str(file), text))
        return ""


def from_text(written: str, file: Path, problems: list[Problem]) -> dict[str, Given]:
    """Map dotted keys to the values of a TOML text; if it is not TOML, note a problem and return none."""
    try:
        document = tomllib.loads(written)
    except tomllib.TOMLDecodeError as error:
        text = f"{file}: is not valid TOML ({error}); correct that line"
        problems.append(Problem(str(file), text))
        return {}
    given: dict[str, Given] = {}
    _flatten(document, Settings, "", str(file), given)
    return given


def _flatten(
    document: dict[str, Any], table: type[Table], prefix: str, source: str, given: dict[str, Given]
) -> None:
    tables = {name: hint for name, hint in hints(table).items() if is_table(hint)}
    for name, value in document.items():
        if name in tables and isinstance(value, dict):
            _flatten(value, tables[name], f"{prefix}{name}.", source, given)
        else:
            given[prefix + name] = Given(value, source, is_text=False)


def from_environment(environ: Mapping[str, str], problems: list[Problem]) -> dict[str, Given]:
    """Map dotted keys to the texts of all ENGAGE_ variables; a `_FILE` variant wins over the plain one."""
    keys = {variable_of(key): key for key, _ in leaves(Settings)}
    files = {f"{variable_of(key)}_FILE": key for key in HIDDEN}
    given: dict[str, Given] = {}
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        if name in keys:
            given[keys[name]] = Given(environ[name], name, is_text=True)
        elif name not in files and not FOREIGN.match(name):
            text = f"{name}: is not a setting; {did_you_mean(name, keys, 'remove it')}"
            problems.append(Problem(name, text))
    for name in (name for name in files if name in environ):
        text_in_file = _file_text(name, environ[name], problems)
        if text_in_file is not None:
            given[files[name]] = Given(text_in_file, name, is_text=True)
    return given


def to_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that give another process exactly these settings, secrets included."""
    environ = {}
    for key, _ in leaves(Settings):
        value: Any = settings
        for name in key.split("."):
            value = getattr(value, name)
        environ[variable_of(key)] = _as_text(value)
    # An empty file, so that an ./engage.toml cannot add to them.
    return environ | {f"{PREFIX}CONFIG": os.devnull}


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Secret):
        return value.reveal()
    return value if isinstance(value, str) else json.dumps(msgspec.to_builtins(value))


def _file_text(name: str, path: str, problems: list[Problem]) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        text = f"{name}: {path} cannot be read ({reason}); correct the path or its rights"
        problems.append(Problem(name, text))
        return None


def variable_of(key: str) -> str:
    """Return the name of the variable that overrides a key."""
    return PREFIX + key.replace(".", "_").upper()
