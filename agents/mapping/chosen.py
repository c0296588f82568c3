"""The source that a command is asked for: a preset by name, or one of [sources]."""

from collections.abc import Iterable

from msgspec.structs import replace

from agents.commands.catalogue import RequestRefusedError
from schemas.mapping.compile import Ignored, Mapped, Outcome
from schemas.mapping.preset import Preset, mapping_of_preset, preset_named, unknown_preset
from schemas.mapping.source import Source
from schemas.rejection import RejectedEvent
from schemas.suggest import name_one_of
from stream.configure.check_sources import source_named
from stream.report.input import check_readable
from stream.report.opening import InputError
from stream.settings.application import Settings
from stream.settings.sources import SourceSettings


def chosen_source(
    settings: Settings, preset: str | None, source: str | None
) -> tuple[Source, Settings]:
    """Return the source, and the settings with it as a part of the definition.

    Raises RequestRefusedError if not exactly one is named, or it is unknown or incomplete.
    """
    if (preset is None) == (source is None):
        raise RequestRefusedError("name one of --preset NAME and --source NAME")
    if source is not None:
        if source not in settings.sources:
            known = name_one_of(source, settings.sources) if settings.sources else "there is none"
            raise RequestRefusedError(f"[sources.{source}] is not in the configuration; {known}")
        return source_named(settings, source), settings
    found = preset_named(preset or "")
    if found is None:
        raise RequestRefusedError(unknown_preset(preset or ""))
    if not found.written.rules:
        raise RequestRefusedError(_incomplete(found))
    named = {found.name: SourceSettings(preset=found.name)}
    return Source(mapping_of_preset(found)), replace(settings, sources=named)


def _incomplete(preset: Preset) -> str:
    return (
        f"the preset {preset.name} needs {preset.needs}. Write them to engage.toml under "
        f'[sources.NAME] with preset = "{preset.name}", and use --source NAME'
    )


def check_files(files: Iterable[str]) -> None:
    """Raise RequestRefusedError if a file cannot be read."""
    try:
        check_readable(files)
    except InputError as error:
        raise RequestRefusedError(str(error)) from error


def split(
    outcomes: Iterable[Outcome],
) -> tuple[list[Mapped], list[Ignored], list[RejectedEvent]]:
    """Return the events, what was ignored, and what was refused."""
    events, ignored, refused = list[Mapped](), list[Ignored](), list[RejectedEvent]()
    for one in outcomes:
        if isinstance(one, Mapped):
            events.append(one)
        elif isinstance(one, Ignored):
            ignored.append(one)
        else:
            refused.append(one)
    return events, ignored, refused
