"""Checks foreign sources: every mistake of a mapping, before the first record."""

from collections.abc import Iterator
from typing import Any

import msgspec

from schemas.mapping.document import Mapping
from schemas.mapping.preset import mapping_of_source
from schemas.mapping.source import Source
from stream.settings.application import Settings
from stream.settings.sources import SourceSettings

_NOT_OF_THE_MAPPING = ("topics", "key")


def broken_sources(settings: Settings) -> Iterator[str]:
    """Yield a sentence, with the key to change, for each mistake of a mapping."""
    for name, source in settings.sources.items():
        _, problems = _read(name, source)
        yield from (f"{problem.key}: {problem.text}" for problem in problems)


def source_named(settings: Settings, name: str) -> Source:
    """Return a source of checked settings. Raises KeyError."""
    return Source(_read(name, settings.sources[name])[0])


def mappings(settings: Settings) -> list[str]:
    """Return what the mappings say, with their presets but without their names: it changes the numbers."""
    return sorted(repr(_read("", source, "")[0]) for source in settings.sources.values())


def _read(name: str, source: SourceSettings, key: str = "sources.") -> tuple[Mapping, list[Any]]:
    written = {
        key: value
        for key, value in msgspec.to_builtins(source).items()
        if key not in _NOT_OF_THE_MAPPING and value not in ("", (), [], {})
    }
    mapping, problems = mapping_of_source(name, written, f"{key}{name}")
    return mapping, list(problems)
