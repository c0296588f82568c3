"""The command `engage churn-risk`, apart from the work behind it, which takes longer to import."""

import click

from agents.commands.command import FILES, FORMATS, with_settings
from stream.settings.application import Settings


@click.command("churn-risk")
@FILES
@click.option("--format", type=FORMATS, default="table", show_default=True)
@with_settings
def churn_risk(settings: Settings, files: tuple[str, ...], format: str) -> int:
    """Judge the churn-risk model by what files say happened.

    The files are read as `engage report` reads them. Day by day the model tells the risk of everybody,
    and learns from those whose time to come back has ended: each prediction is judged by what came
    after it. Needs engagement-stream[predict]. Exit code 2 when there is nothing to judge by.

    \b
    Example:   engage churn-risk events.jsonl.gz
    """
    from agents.commands.churn_risk import run_churn_risk

    return run_churn_risk(settings, files, format=format)
