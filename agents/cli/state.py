"""The commands about stored counts: what a new configuration changes, counting again, and keeping house."""

import click

from agents.cli.group import Commands
from agents.cli.options import FORMAT, with_settings
from stream.settings.application import Settings


@click.command()
@FORMAT
@with_settings
def plan(settings: Settings, format: str) -> int:
    """Show which metrics this configuration would keep, recount or drop.

    Compares the configuration with what the workers have stored in Redis. Changes nothing.

    \b
    Example:    engage plan --config new.toml

    \b
    Exit codes: 0 printed; 1 Redis cannot be reached; 2 wrong configuration.
    """
    from agents.commands.plan import run_plan

    return run_plan(settings, format)


@click.command()
@click.option(
    "--accept-loss", is_flag=True, help="Go on although Kafka has deleted the oldest records."
)
@with_settings
def backfill(settings: Settings, accept_loss: bool) -> int:
    """Count everything again from the beginning of the Kafka log.

    Restart the workers with the new configuration first. The live numbers go on meanwhile. At the
    end, the workers go on from the new counts.

    \b
    Example:    engage plan && engage backfill

    \b
    Exit codes: 0 the new counts are live; 1 they are not, and the old ones stay; 2 wrong
                configuration.
    """
    from agents.commands.backfill import run_backfill

    return run_backfill(settings, accept_loss=accept_loss)


@click.group(cls=Commands)
def state() -> None:
    """List, remove and copy what is stored in Redis.

    \b
    Example:    engage state list
    """


@state.command("list")
@FORMAT
@click.option("--sites", "by_site", is_flag=True, help="List the sites, with their series.")
@with_settings
def list_states(settings: Settings, format: str, by_site: bool) -> int:
    """List all apps in this Redis, with their generations, sizes and owners.

    Changes nothing, and may run beside the workers. Reads all keys with SCAN.

    \b
    Example:    engage state list
                engage state list --format json

    \b
    Exit codes: 0 listed; 1 Redis cannot be reached; 2 wrong configuration.
    """
    from agents.commands.state.list_states import run_state_list

    return run_state_list(settings, format, by_site)
