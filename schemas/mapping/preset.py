"""Loads the presets of the package, and makes mappings out of written ones."""

import tomllib
from collections.abc import Mapping as Table
from functools import cache
from importlib.resources import files
from typing import Any, Final

from msgspec import Struct

from schemas.mapping.check import check_mapping
from schemas.mapping.document import Condition, Mapping
from schemas.mapping.read import Problem, Reader, Written, joined, read_written
from schemas.suggest import did_you_mean

#: Keys of a preset beside those of a mapping.
_ABOUT: Final = (
    "vendor", "source", "date", "tried", "aliases", "detect", "needs", "snippet", "note",
)  # fmt: skip
_SUFFIX: Final = ".toml"


class Preset(Struct, frozen=True, kw_only=True):
    """A mapping of a product's records, and where it was read that they look so."""

    name: str
    vendor: str
    #: Address of the documentation or of the samples, and the day it was read.
    source: str
    date: str
    #: Whether it was tried on samples of the vendor.
    tried: bool
    #: What a user adds to it; empty: it is complete.
    needs: str = ""
    #: Lines of engage.toml that a user adds under [sources.NAME], for the pages.
    snippet: str = ""
    note: str = ""
    aliases: tuple[str, ...] = ()
    #: Alternatives, one of which holds for the vendor's records and no others.
    detect: tuple[tuple[Condition, ...], ...]
    written: Written


@cache
def presets() -> Table[str, Preset]:
    """Return all presets by name."""
    folder = files("schemas.mapping.presets")
    names = sorted(one.name for one in folder.iterdir() if one.name.endswith(_SUFFIX))
    found = (_preset(name, (folder / name).read_text("utf-8")) for name in names)
    return {preset.name: preset for preset in found}


def _preset(file: str, text: str) -> Preset:
    document, problems = tomllib.loads(text), list[Problem]()
    about = {name: document.pop(name) for name in _ABOUT if name in document}
    reader = Reader("", problems)
    detect = about.pop("detect")
    written = read_written(document, "", problems, "preset rule")
    name = file.removesuffix(_SUFFIX)
    preset = Preset(
        name=name,
        detect=tuple(reader.conditions("detect", one) for one in detect["any"]),
        aliases=tuple(about.pop("aliases", ())),
        written=written,
        **about,
    )
    if written.rules:
        check_mapping(joined(name, written, None, "", problems), problems)
    if problems:
        lines = "\n".join(f"{problem.key}: {problem.text}" for problem in problems)
        raise ValueError(f"preset {file}:\n{lines}")
    return preset


def preset_named(name: str) -> Preset | None:
    """Return a preset by its name or another name of it."""
    found = presets().get(name)
    return found or next((one for one in presets().values() if name in one.aliases), None)


def unknown_preset(name: str) -> str:
    """Say which preset was meant."""
    known = [*presets(), *(alias for one in presets().values() for alias in one.aliases)]
    return (
        f"{name!r} is no preset; {did_you_mean(name, known, 'there are ' + ', '.join(presets()))}"
    )


def mapping_of_preset(preset: Preset) -> Mapping:
    """Return the mapping of a preset alone."""
    return joined(preset.name, preset.written, None, "", [])


def mapping_of_source(
    name: str, written: Table[str, Any], key: str
) -> tuple[Mapping, list[Problem]]:
    """Return the mapping of a source, joined with its preset, and all its mistakes."""
    problems: list[Problem] = []
    own_keys = {one: value for one, value in written.items() if one != "preset"}
    own = read_written(own_keys, key, problems)
    preset = None
    if wanted := written.get("preset"):
        preset = preset_named(wanted)
        if preset is None:
            problems.append(Problem(f"{key}.preset", unknown_preset(wanted)))
            return joined(name, own, None, key, []), problems
    mapping = joined(name, own, preset.written if preset else None, key, problems)
    check_mapping(mapping, problems)
    return mapping, problems
