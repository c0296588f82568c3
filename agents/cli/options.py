"""Options and arguments that several commands take, and the settings that nearly all need."""

import os
from collections.abc import Callable
from typing import Any

import click

from stream.configure.load import load_settings

FORMAT = click.option(
    "--format", type=click.Choice(["table", "json"]), default="table", show_default=True
)
FILES = click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
)
METRICS = click.option(
    "--metric", "metrics", multiple=True, help="Only this metric; may be repeated."
)


def SOURCE(command: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802 - an option, as those above
    """Add the options that name the mapping of foreign records."""
    preset = click.option("--preset", metavar="NAME", help="Mapping of a product, such as segment.")
    source = click.option(
        "--source", metavar="NAME", help="Mapping of [sources.NAME] in engage.toml."
    )
    return preset(source(command))


def with_settings(command: Callable[..., int]) -> Callable[..., None]:
    """Pass the settings to a command, set up its logs, and make its result the exit code."""

    @click.pass_context
    def run(ctx: click.Context, /, **options: Any) -> None:
        from agents.commands.logs import setup_logging

        settings = load_settings(ctx.obj, os.environ)
        setup_logging(settings)
        ctx.exit(command(settings, **options))

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run
