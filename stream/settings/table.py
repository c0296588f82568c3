"""Parts of a table of engage.toml: frozen fields, each with its type, bounds and help."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta, Struct

AtLeastOne = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
#: A part of a whole, which may be all of it.
Share = Annotated[float, Meta(gt=0, le=1)]


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of engage.toml; the first line of its docstring is its heading."""


@dataclass(frozen=True, slots=True, eq=False)
class Help:
    """Help of one setting, beside its type: printed by `engage settings` and on the settings page."""

    #: What the setting controls.
    controls: str
    #: Value, as written in engage.toml without quotes → its effect.
    values: Mapping[str, str] = field(default_factory=dict)
    #: Why the default is what it is.
    why: str = ""
    #: Lines of engage.toml that set it, for a setting whose form is not obvious.
    example: str = ""
    #: Set by most people: printed by `engage settings` without --all.
    basic: bool = False

    @property
    def text(self) -> str:
        """The help in one line, without the example."""
        values = "; ".join(f"{value}: {effect}" for value, effect in self.values.items())
        return " ".join(part for part in (self.controls, values and f"{values}.", self.why) if part)
