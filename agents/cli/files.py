"""The commands that write files to edit or to ship: settings, and what monitoring needs."""

import re
from pathlib import Path
from typing import Any

import click

from agents.cli.options import with_settings
from stream.settings.application import Settings


@click.command()
@click.option("--all", "everything", is_flag=True, help="Every setting, not only the basic ones.")
@click.option(
    "--format",
    type=click.Choice(["toml", "json"]),
    default="toml",
    show_default=True,
    help="toml: a file to edit; json: a list for programs.",
)
@with_settings
def settings(settings: Settings, everything: bool, format: str) -> int:
    """Print the settings as an annotated engage.toml.

    Without a configuration these are the defaults. With one, each setting has the value in force,
    and the settings that differ from their default are printed as well. Passwords are left out.

    \b
    Example:    engage settings > engage.toml
                engage settings --all | less
                engage settings --config shop.toml --format json | jq '.[] | select(.basic)'

    \b
    Exit codes: 0 printed; 2 wrong configuration.
    """
    from agents.commands.settings import print_settings

    return print_settings(settings, everything=everything, format=format)


@click.command()
@click.argument("what", type=click.Choice(["rules", "alertmanager", "prometheus", "grafana"]))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory to write to; files of the same names there are replaced.",
)
@click.option(
    "--job", default="engagement", show_default=True, help="Prometheus job of the workers."
)
@click.option(
    "--prefix", default="Engagement", show_default=True, help="Beginning of the alerts' names."
)
@click.option("--site", "sites", multiple=True, help="Only this site raises product alerts.")
@click.option(
    "--dashboards", default="http://127.0.0.1:3000", show_default=True, help="Address of Grafana."
)
@click.option(
    "--runbook", default="deploy/RUNBOOK.md", show_default=True, help="Address of the runbook."
)
@click.option("--target", "targets", multiple=True, help="host:port of a worker to scrape.")
@click.option(
    "--ca-file",
    default="",
    metavar="PATH",
    help="Where Prometheus finds the authority of web.tls_certfile; without it, the system's.",
)
@click.option(
    "--alertmanager", default="alertmanager:9093", show_default=True, help="Its host:port."
)
@click.option("--prometheus", default="prometheus:9090", show_default=True, help="Its host:port.")
@click.option(
    "--webhook", "webhooks", multiple=True, help="RECEIVER=URL: where a receiver is notified."
)
@click.option(
    "--speed",
    type=click.FloatRange(min=1, max=3600),
    default=1.0,
    show_default=True,
    help="Divide every duration of product alerts by this, to rehearse with a replay.",
)
@with_settings
def export(settings: Settings, what: str, out: Path, **options: Any) -> int:
    """Write what Prometheus, Alertmanager and Grafana need.

    Writes the files of deploy/ for your own job name, sites and addresses. The rules follow the
    settings, such as ctr.denominator; scrapes use https if web.tls_certfile is set.

    \b
    Example:    engage export rules --out /etc/prometheus/rules --job shop-workers
                engage export alertmanager --out . --webhook oncall=https://hooks.example.org/1
                engage export prometheus --out . --target 127.0.0.1:6067 --target 127.0.0.1:6068
                engage export grafana --out /etc/grafana --prometheus 127.0.0.1:9090

    \b
    Exit codes: 0 written; 1 the directory cannot be written to; 2 an option or the configuration
                is wrong.
    """
    _check_options(**options)
    from agents.commands.export import run_export

    return run_export(settings, what, out, **options)


def _check_options(
    *,
    job: str,
    prefix: str,
    targets: tuple[str, ...],
    alertmanager: str,
    prometheus: str,
    webhooks: tuple[str, ...],
    **_others: Any,
) -> None:
    """Raise click.UsageError for an option that no configuration of the servers could hold."""
    if not re.fullmatch(r"[\w.:/-]+", job):
        raise click.UsageError(f"--job {job!r}: use letters, digits and . : / _ -")
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", prefix):
        raise click.UsageError(f"--prefix {prefix!r}: use letters and digits, such as Shop")
    for address in (*targets, alertmanager, prometheus):
        if not re.fullmatch(r"[^\s/]+:\d{1,5}", address):
            raise click.UsageError(f"{address!r} is not host:port, such as 127.0.0.1:6067")
    from agents.monitoring.rules.routing import RECEIVERS

    for webhook in webhooks:
        receiver, _, url = webhook.partition("=")
        if receiver not in RECEIVERS or not re.fullmatch(r"https?://\S+", url):
            raise click.UsageError(
                f"--webhook {webhook!r}: use RECEIVER=URL, with one of {', '.join(RECEIVERS)}, "
                "and http:// or https://"
            )
