"""Reads a setting by its dotted name."""

from collections.abc import Mapping

import msgspec

from stream.settings.application import Settings


def setting_value(settings: Settings, name: str) -> object:
    """Return the value of a setting, or of an entry of a table such as goals.NAME, in plain types."""
    value: object = settings
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else getattr(value, part)
    return msgspec.to_builtins(value)
