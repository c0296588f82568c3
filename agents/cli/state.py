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
@click.option(
    "--other-settings",
    is_flag=True,
    help="Go on although the workers count by other settings than these.",
)
@with_settings
def backfill(settings: Settings, accept_loss: bool, other_settings: bool) -> int:
    """Count everything again from the beginning of the Kafka log.

    Restart the workers with the new configuration first: the command refuses if they count by
    another. The live numbers go on meanwhile. At the end, the workers go on from the new counts.
    SIGTERM and Ctrl-C delete the unfinished counts.

    \b
    Example:    engage plan && engage backfill

    \b
    Exit codes: 0 the new counts are live; 1 they are not, and the old ones stay; 2 wrong
                configuration.
    """
    from agents.commands.backfill import run_backfill

    return run_backfill(settings, accept_loss=accept_loss, other_settings=other_settings)


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


@state.command()
@click.option("--site", metavar="NAME", help="Remove a site: its counts, people and sessions.")
@click.option("--generation", metavar="NAME", help="Remove a generation that is not live.")
@click.option("--app", metavar="NAME", help="Remove everything that an app has in this Redis.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def remove(
    settings: Settings,
    site: str | None,
    generation: str | None,
    app: str | None,
    dry_run: bool,
    yes: bool,
) -> int:
    """Remove a site, an old or unfinished generation, or a whole app.

    Stop the workers first: it is refused while one counts. Until it is finished, no worker can start
    on this state. If it is interrupted, run it again.

    \b
    Example:    engage state remove --site shop.test --dry-run
                engage state remove --generation g1790000000
                engage state remove --app rehearsal --yes

    \b
    Exit codes: 0 removed; 1 refused, or Redis cannot be reached; 2 wrong options or configuration.
    """
    from agents.commands.state.remove_state import Removal, run_remove

    removal = Removal(site, generation, app)
    if sum(one is not None for one in removal) != 1:
        raise click.UsageError("give one of --site, --generation and --app")
    return run_remove(settings, removal, yes=yes, dry_run=dry_run)


@state.command()
@with_settings
def adopt(settings: Settings) -> int:
    """Go on counting after the topics were moved with their offsets.

    Workers refuse counts of another Kafka cluster, or of topics with other ids. Run this if the topics
    are the same ones, copied or restored with every offset. It is refused while a worker counts, and
    if the stored offsets are not in the topics.

    \b
    Example:    engage state adopt && engage worker

    \b
    Exit codes: 0 the workers can go on; 1 refused, or a server cannot be reached; 2 wrong
                configuration.
    """
    from agents.commands.state.adopt_state import run_adopt

    return run_adopt(settings)


@state.command("copy")
@click.argument("target", metavar="APP")
@with_settings
def copy_state(settings: Settings, target: str) -> int:
    """Copy the live state to another app name, for a rehearsal or as a backup.

    The workers may go on. Each shard is copied as of one of its checkpoints, with its offsets. The
    copy needs as much memory as the state, and for a moment that of its largest shard.

    \b
    Example:    engage state copy before-upgrade
                ENGAGE_APP=before-upgrade engage state copy engagement    and back

    \b
    Exit codes: 0 copied; 1 APP exists, or Redis cannot be reached; 2 wrong configuration.
    """
    from agents.commands.state.copy_state import run_copy

    return run_copy(settings, target)
