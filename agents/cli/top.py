"""The command `engage top`, apart from the work behind it, which takes longer to import."""

import click

from agents.commands.command import with_settings
from stream.settings.application import Settings


@click.command()
@click.option("--url", help="The worker to ask; by default the one of this machine and settings.")
@click.option("--site", help="The site to show; by default the largest.")
@click.option("--once", is_flag=True, help="Show the numbers once and end.")
@with_settings
def top(settings: Settings, url: str | None, site: str | None, once: bool) -> int:
    """Show a worker's live numbers in the terminal.

    What /live shows, from any worker. Plain lines when the output is no terminal.

    \b
    Example:   engage top
               engage top --url http://worker-1:6067 --once
    """
    if url is not None and not url.startswith(("http://", "https://")):
        raise click.BadParameter(
            f"{url!r} is no address like http://127.0.0.1:6067", param_hint="--url"
        )
    from agents.commands.top import run_top

    return run_top(settings, url=url, site=site, once=once)
