"""What all commands share: the settings, the logs, the exit codes, and errors as plain messages."""

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from stream.configure.load import SettingsError, load_settings

FORMATS = click.Choice(["table", "json"])
FILES = click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
)
# Exit codes: 2 is for what the person at the keyboard can correct in the command or the
# configuration, 1 for what is wrong outside,
# 130 is what shells give to Ctrl-C.
USAGE, FAILURE, INTERRUPTED = 2, 1, 130


class Commands(click.Group):
    """A group whose known errors end as one plain message instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; configuration errors exit with 2, unreachable servers with 1."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            _stop(str(error), USAGE)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # `engage tail | head`: the reader has gone. Python would complain again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except Exception as error:
            if not _is_known(error):
                raise
            _stop(str(error), FAILURE)


def _is_known(error: Exception) -> bool:
    """Whether an error is about the world outside, so that its message says all there is to say."""
    if isinstance(error, OSError):
        return True
    # By name, because importing the Kafka and Redis clients takes longer than `engage --help`.
    names = {base.__name__ for base in type(error).__mro__}
    return bool(names & {"KafkaUnreachable", "RedisError", "EmbeddedMissing", "EmbeddedFailed"})


def _stop(message: str, code: int) -> NoReturn:
    click.echo(f"engage: {message}", err=True)
    sys.exit(code)


def with_settings(command: Callable[..., int]) -> Callable[..., None]:
    """Gives a command the settings and its logs, and takes its result as the exit code."""

    @click.pass_context
    def run(ctx: click.Context, /, **options: Any) -> None:
        from agents.commands.logs import setup_logging

        settings = load_settings(ctx.obj, os.environ)
        setup_logging(settings)
        ctx.exit(command(settings, **options))

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run
