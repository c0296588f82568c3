"""The command `engage`: what can be asked of it, explained by example."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

try:
    from agents import refuse_shadows
except ImportError:
    sys.exit(
        "engage: another distribution's package `agents` was installed over engagement-stream's. "
        "Install engagement-stream in an environment of its own"
    )
refuse_shadows()

from stream.settings import Settings, SettingsError, load_settings  # noqa: E402
from stream.traffic import Spike  # noqa: E402

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


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config",
    metavar="FILE",
    envvar="ENGAGE_CONFIG",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The engage.toml to use; without it, ./engage.toml when there is one.",
)
@click.version_option(package_name="engagement-stream", prog_name="engage")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Live customer-engagement metrics from Kafka.

    \b
    Try it, with nothing to install:      engage demo
    See what your files say:              engage report events.jsonl.gz
    Prepare your own Kafka and Redis:     engage check && engage topics create
    Then run, as often as you like:       engage worker

    Settings come from engage.toml and from variables such as ENGAGE_KAFKA_BOOTSTRAP_SERVERS.
    """
    ctx.obj = config


def with_settings(command: Callable[..., int]) -> Callable[..., None]:
    """Gives a command the settings and its logs, and takes its result as the exit code."""

    @click.pass_context
    def run(ctx: click.Context, /, **options: Any) -> None:
        from agents.logs import setup_logging

        settings = load_settings(ctx.obj, os.environ)
        setup_logging(settings)
        ctx.exit(command(settings, **options))

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


@main.command()
@click.option("--spike", type=click.Choice(["bounce", "churn"]), help="Let something go wrong.")
@click.option("--rate", default=50.0, show_default=True, help="Events a second, on average.")
@click.option("--seconds", type=float, help="Stop by itself after this long.")
@with_settings
def demo(settings: Settings, spike: Spike | None, rate: float, seconds: float | None) -> int:
    """Show everything on this machine.

    Kafka, Redis, simulated traffic and a worker, with no server to install.

    \b
    Example:   engage demo --spike bounce
               After a minute, visitors begin to leave at once; watch the bounce rate.
    """
    if not 0 < rate <= 20_000:
        raise click.BadParameter("use a number above 0, at most 20000", param_hint="--rate")
    from agents.demo import run_demo

    return run_demo(settings, spike=spike, rate=rate, seconds=seconds)


@main.command()
@with_settings
def worker(settings: Settings) -> int:
    """Run one worker on Kafka and Redis.

    Run as many as there are partitions; they share the work and take over from each other.

    \b
    Example:   ENGAGE_KAFKA_BOOTSTRAP_SERVERS=kafka:9093 engage --config engage.toml worker
    """
    from agents.worker import run_worker

    return run_worker(settings)


@main.command()
@FILES
@click.option("--metric", "metrics", multiple=True, help="Only this metric; may be repeated.")
@click.option("--window", "windows", multiple=True, help="Only this kind of window, such as day.")
@click.option("--by", multiple=True, help="Also by value of this dimension, such as country.")
@click.option(
    "--format", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
)
@with_settings
def report(
    settings: Settings, files: tuple[str, ...], format: str, **names: tuple[str, ...]
) -> int:
    """Compute every metric over files.

    The files hold one JSON event a line; neither Kafka nor Redis is needed. They are read as one
    log, so give the oldest first. They may be compressed (.gz); `-` is standard input. Lines that
    are no events are named and left out. Exit code 2 when nothing could be counted.

    Windows: all, month, week, day, trailing_7d, trailing_28d, trailing_30d; and only on request:
    hour, minute, trailing_1h, trailing_5m.

    \b
    Example:   engage report events.jsonl.gz
               engage report --metric bounce_rate --window day --by country events.jsonl
               zcat *.gz | engage report --format csv --window hour - > numbers.csv
    """
    from agents.report import run_report

    chosen = {name: list(given) for name, given in names.items() if given or name != "by"}
    return run_report(settings, list(files), format=format, **chosen)


@main.command()
@FILES
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Times event time.")
@click.option(
    "--topic-by-type/--one-topic",
    default=True,
    show_default=True,
    help="Each type to its topic, or all to the first topic.",
)
@click.option("--skip-bad", is_flag=True, help="Leave out lines that are no events.")
@with_settings
def replay(
    settings: Settings,
    files: tuple[str, ...],
    speed: float | None,
    topic_by_type: bool,
    skip_bad: bool,
) -> int:
    """Send events from files to the topics.

    Without --speed as fast as it goes; --speed 60 lets an hour of events pass in a minute.
    Lines that are no events are sent as well, so that the ledger shows them.

    \b
    Example:   engage replay --speed 60 monday.jsonl.gz
    """
    from agents.replay import run_replay

    return run_replay(
        settings, list(files), speed=speed, topic_by_type=topic_by_type, skip_bad=skip_bad
    )


@main.command()
@click.option("--metric", "metrics", multiple=True, help="Only this metric; may be repeated.")
@click.option("--final", "final_only", is_flag=True, help="Only what will not change any more.")
@click.option("--from-beginning", is_flag=True, help="Begin with what the topic already holds.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after this many records.")
@click.option("--format", type=FORMATS, default="table", show_default=True)
@with_settings
def tail(
    settings: Settings,
    metrics: tuple[str, ...],
    final_only: bool,
    from_beginning: bool,
    limit: int | None,
    format: str,
) -> int:
    """Follow the metric topic.

    \b
    Example:   engage tail --metric daily_active_users --final
    """
    from agents.tail import run_tail

    return run_tail(
        settings,
        metrics=list(metrics),
        final_only=final_only,
        from_beginning=from_beginning,
        limit=limit,
        format=format,
    )


@main.command()
@click.option("--format", type=FORMATS, default="table", show_default=True)
@click.pass_context
def check(ctx: click.Context, format: str) -> None:
    """Look at everything a worker needs.

    Configuration, Kafka, topics, Redis and clocks: all that is wrong is named at once.

    \b
    Example:   engage --config engage.toml check && engage worker
    """
    from agents.check import run_check

    ctx.exit(run_check(ctx.obj, os.environ, format))


@main.group()
def topics() -> None:
    """Prepare the Kafka topics."""


@topics.command()
@with_settings
def create(settings: Settings) -> int:
    """Create the topics that are missing, with equal partition counts.

    It may be run again: what exists stays, and is only compared.

    \b
    Example:   ENGAGE_TOPICS_PARTITIONS=12 engage topics create
    """
    from agents.topics import run_topics_create

    return run_topics_create(settings)


@main.command()
@click.option(
    "--format", type=click.Choice(["table", "json", "markdown"]), default="table", show_default=True
)
@with_settings
def metrics(settings: Settings, format: str) -> int:
    """Print the catalogue of metrics.

    Every metric with its formula, a worked example, its windows, the settings that change it, and
    what the literature calls good.

    \b
    Example:   engage metrics --format json | jq '.[].name'
    """
    from agents.catalogue import print_catalogue

    return print_catalogue(settings, format)
