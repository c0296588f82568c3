"""Option types for the periods that a command is asked for."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from schemas.rejection import printable
from stream.report.periods import Complete, DayRange, parse_complete, parse_day

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _CompleteType(click.ParamType):
    """A time or a date up to which the data are complete."""

    name = "time or date"

    def convert(
        self, value: str | Complete, param: click.Parameter | None, ctx: click.Context | None
    ) -> Complete:
        """Read the text of the option; the failure says what is accepted."""
        if isinstance(value, Complete):
            return value
        try:
            return parse_complete(value)
        except ValueError as error:
            self.fail(printable(str(error)), param, ctx)


class _DayType(click.ParamType):
    """A calendar day, as its ordinal."""

    name = "date"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read the text of the option; the failure says what is accepted."""
        if isinstance(value, int):
            return value
        try:
            return parse_day(value).toordinal()
        except ValueError as error:
            self.fail(printable(str(error)), param, ctx)


_OPTIONS = (
    click.option(
        "--until",
        type=_CompleteType(),
        metavar="TIME_OR_DATE",
        help="The data are complete up to here: windows that end by then are final. A date is complete "
        "to its end, in the zone of each site. Default: the newest event.",
    ),
    click.option(
        "--from",
        "first",
        type=_DayType(),
        metavar="DATE",
        help="Every metric over just the days from this one on, in the zone of each site. With --window: "
        "the windows that lie in them.",
    ),
    click.option(
        "--to",
        "last",
        type=_DayType(),
        metavar="DATE",
        help="The last of these days, inclusive. Default: the newest day.",
    ),
)


def with_periods(command: _Command) -> _Command:
    """Add the options --until, --from and --to."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def with_days(command: Callable[..., int]) -> Callable[..., int]:
    """Pass --from and --to as `days`; None without either."""

    @wraps(command)
    def run(*given: Any, first: int | None, last: int | None, **options: Any) -> int:
        return command(*given, days=_range_of(first, last), **options)

    return run


def _range_of(first: int | None, last: int | None) -> DayRange | None:
    """Return the range of --from and --to; None without either. Raises click.BadParameter."""
    if first is None and last is None:
        return None
    if first is not None and last is not None and first > last:
        found = DayRange(first, last)
        raise click.BadParameter(f"the range {found} ends before it begins", param_hint="--to")
    return DayRange(first, last)
