"""Option types for the periods that a command is asked for."""

import click

from schemas.rejection import printable
from stream.report.periods import Complete, parse_complete


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


COMPLETE = _CompleteType()
