"""The commands about stored state: what a new configuration would change, and counting anew."""

import click

from agents.commands.command import FORMATS, with_settings
from stream.settings.application import Settings


@click.command()
@click.option("--format", type=FORMATS, default="table", show_default=True)
@with_settings
def plan(settings: Settings, format: str) -> int:
    """Show what this configuration would keep, recount or drop.

    Compares it with what the workers have stored; changes nothing.

    \b
    Example:   engage --config new.toml plan
    """
    from agents.commands.plan import run_plan

    return run_plan(settings, format)


@click.command()
@click.option("--accept-loss", is_flag=True, help="Also when Kafka has deleted old records.")
@with_settings
def backfill(settings: Settings, accept_loss: bool) -> int:
    """Count everything anew from Kafka's beginning.

    The live numbers go on meanwhile; then the workers go on from what was counted. Restart them
    with the new configuration first.

    \b
    Example:   engage plan && engage backfill
    """
    from agents.commands.backfill import run_backfill

    return run_backfill(settings, accept_loss=accept_loss)
