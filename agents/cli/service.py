"""The commands that prepare and run the service: topics, check, worker, intake, health."""

import os

import click

from agents.cli.group import Commands
from agents.cli.options import FORMAT, with_settings
from stream.settings.application import Settings


@click.command()
@with_settings
def worker(settings: Settings) -> int:
    """Run one worker on Kafka and Redis.

    Run up to as many as there are partitions. They share the work and take over from each other.
    SIGTERM and Ctrl-C store a last checkpoint and end it.

    \b
    Example:    engage worker --config engage.toml
                ENGAGE_WEB_PORT=6068 engage worker     a second one on the same machine

    \b
    Exit codes: 0 stopped as asked; 1 it could not start, or failed; 2 wrong configuration.
    """
    from agents.worker import run_worker

    return run_worker(settings)


@click.command()
@click.option(
    "--accept-partitions",
    is_flag=True,
    help="Go on although the input topics have other partitions than before.",
)
@with_settings
def intake(settings: Settings, accept_partitions: bool) -> int:
    """Carry records of [sources] into the input topics, keyed by the person.

    The topics may have any key or none, and a record may hold several events. Each record is
    mapped, its events go to the topics of their types, refused records to the dead letters: all in
    one Kafka transaction with the offset, so that a crash neither loses nor doubles an event. Run
    up to as many as there are partitions of the source topics; they share the work. SIGTERM and
    Ctrl-C finish the transactions under way and end it.

    \b
    Example:    engage map --source web sample.jsonl     a dry run, first
                engage intake --config engage.toml
                ENGAGE_WEB_PORT=6069 engage intake       beside a worker on the same machine

    \b
    Exit codes: 0 stopped as asked; 1 it could not start, or failed; 2 wrong configuration.
    """
    from agents.intake import run_intake

    return run_intake(settings, accept_partitions=accept_partitions)


@click.command()
@FORMAT
@click.pass_context
def check(ctx: click.Context, format: str) -> None:
    """Check everything that a worker needs.

    Looks at the configuration, Kafka, the topics, Redis and the clocks, and names all problems at
    once, each with what to do.

    \b
    Example:    engage check --config engage.toml && engage worker --config engage.toml

    \b
    Exit codes: 0 a worker can start; 1 something is wrong.
    """
    from agents.commands.check import run_check

    ctx.exit(run_check(ctx.obj, os.environ, format))


@click.command()
@with_settings
def health(settings: Settings) -> int:
    """Ask the worker of this machine or container whether it is alive.

    Made for a container's health check: it requests the worker's page /healthz.

    \b
    Example:    engage health || echo "the worker does not answer"

    \b
    Exit codes: 0 it answers; 1 it does not; 2 wrong configuration.
    """
    from agents.commands.health import run_health

    return run_health(settings)


@click.group(cls=Commands)
def topics() -> None:
    """Prepare the Kafka topics.

    \b
    Example:    engage topics create
    """


@topics.command()
@with_settings
def create(settings: Settings) -> int:
    """Create the topics that are missing, with equal partition counts.

    Run it as often as you like: existing topics stay as they are and are only compared.

    \b
    Example:    ENGAGE_TOPICS_PARTITIONS=12 engage topics create

    \b
    Exit codes: 0 all topics are as wanted; 1 one cannot be, or Kafka does not answer;
                2 wrong configuration.
    """
    from agents.commands.topics import run_topics_create

    return run_topics_create(settings)
