"""The group of all commands: `--config` on either side of a name, known errors as one message."""

import io
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from agents.commands.signals import end_in_order, exit_code
from schemas.suggest import did_you_mean
from stream.configure.load import SettingsError

#: Exit codes. USAGE: the command line or the configuration must be corrected. FAILURE: a server or
#: a file failed.
USAGE, FAILURE = 2, 1
CONFIG_HELP = "The engage.toml to use; without it, ./engage.toml if it exists."


def config_option(**attributes: Any) -> click.Option:
    """Build the option --config; of two on one command line, the later one wins."""
    return click.Option(
        ["--config"],
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        callback=_remember,
        expose_value=False,
        help=CONFIG_HELP,
        **attributes,
    )


def _remember(context: click.Context, _parameter: click.Parameter, file: Path | None) -> None:
    # A command's context begins with the file of the group around it.
    if file is not None:
        context.obj = file


class Commands(click.Group):
    """A group whose commands all take --config, and whose known errors end as one plain message."""

    #: A group inside is of this class too.
    group_class = type

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command together with its option --config."""
        cmd.params.append(config_option())
        super().add_command(cmd, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for an unknown name, suggest the most similar one."""
        name = args[0]
        if name not in self.commands and not name.startswith("-") and not ctx.resilient_parsing:
            question = did_you_mean(name, self.commands)
            ctx.fail(f"No such command {name!r}. {question}".rstrip())
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; configuration errors exit with 2, unreachable servers with 1."""
        if sys.stdout is None:
            sys.stdout = _ClosedOutput()
        try:
            with end_in_order():
                return super().invoke(ctx)
        except SettingsError as error:
            _stop(str(error), USAGE)
        except KeyboardInterrupt as interrupt:
            sys.exit(exit_code(interrupt))
        except BrokenPipeError:
            # `engage tail | head`: the reader has gone. Python would complain again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except Exception as error:
            if not _is_known(error):
                raise
            _stop(str(error), FAILURE)


class _ClosedOutput(io.TextIOBase):
    """Stands for a standard output that is closed: only a command that prints fails."""

    def write(self, _text: str) -> int:
        """Raise OSError."""
        raise OSError("standard output is closed")


def _is_known(error: Exception) -> bool:
    """Whether an error comes from outside the program, so that its message says enough."""
    if isinstance(error, OSError):
        return True
    # By name, because importing the Kafka and Redis clients takes longer than `engage --help`.
    names = {base.__name__ for base in type(error).__mro__}
    return bool(names & {"KafkaUnreachable", "RedisError", "EmbeddedMissing", "EmbeddedFailed"})


def _stop(message: str, code: int) -> NoReturn:
    click.echo(f"engage: {message}", err=True)
    sys.exit(code)
