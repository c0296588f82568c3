"""The command `engage`: what can be asked of it, explained by example."""

import os
import sys
from pathlib import Path

import click

try:
    from agents import refuse_shadows
except ImportError:
    sys.exit(
        "engage: another distribution's package `agents` was installed over engagement-stream's. "
        "Install engagement-stream in an environment of its own"
    )
refuse_shadows()

from agents.cli.demo import demo, simulate  # noqa: E402
from agents.cli.predict import churn_risk  # noqa: E402
from agents.cli.state import backfill, plan  # noqa: E402
from agents.cli.top import top  # noqa: E402
from agents.commands.command import FILES, FORMATS, Commands, with_settings  # noqa: E402
from agents.commands.export import export  # noqa: E402
from stream.report.cohorts import Cohort  # noqa: E402
from stream.settings.application import Settings  # noqa: E402


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
@click.option("--compare", is_flag=True, help="With the value of the window before.")
@click.option("--retention", type=click.Choice(["first_time", "recurring"]), help="Triangles.")
@click.option("--round", "digits", type=click.IntRange(0, 15), help="Digits after the point.")
@with_settings
def report(
    settings: Settings,
    files: tuple[str, ...],
    format: str,
    compare: bool,
    retention: Cohort | None,
    digits: int | None,
    **names: tuple[str, ...],
) -> int:
    """Compute every metric over files.

    The files hold one JSON event a line; neither Kafka nor Redis is needed. They are read as one
    log, so give the oldest first. They may be compressed (.gz); `-` is standard input. Lines that
    are no events are named and left out. Exit code 2 when nothing could be counted.

    Windows: all, month, week, day, trailing_7d, trailing_28d, trailing_30d, trailing_90d; and
    only on request: trailing_365d, trailing_168h, trailing_24h, hour, minute, trailing_1h,
    trailing_30m, trailing_5m.

    \b
    Example:   engage report events.jsonl.gz
               engage report --metric bounce_rate --window day --by country events.jsonl
               engage report --compare --window week events.jsonl
               engage report --retention first_time --window week events.jsonl
               zcat *.gz | engage report --format csv --window hour - > numbers.csv
    """
    from agents.report.command import run_report

    chosen = {name: list(given) for name, given in names.items() if given or name != "by"}
    return run_report(
        settings,
        list(files),
        format=format,
        compare=compare,
        retention=retention,
        digits=digits,
        **chosen,
    )


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
    from agents.commands.replay import run_replay

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
    from agents.commands.tail import run_tail

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
    from agents.commands.check import run_check

    ctx.exit(run_check(ctx.obj, os.environ, format))


@main.command()
@with_settings
def health(settings: Settings) -> int:
    """Ask the worker of this machine or container whether it is alive.

    Exit code 0 when its page /healthz answers, else 1: for a container's health check.

    \b
    Example:   engage health || echo "the worker does not answer"
    """
    from agents.commands.health import run_health

    return run_health(settings)


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
    from agents.commands.topics import run_topics_create

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
    from agents.commands.catalogue import print_catalogue

    return print_catalogue(settings, format)


for command in (demo, simulate, export, top, plan, backfill, churn_risk):
    main.add_command(command)
