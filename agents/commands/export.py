"""`engage export`: writes rules, routes, scrapes and dashboards as deploy/ ships them, for other stacks."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agents.commands.command import with_settings
from stream.settings.application import Settings

if TYPE_CHECKING:
    from agents.monitoring.rules.surroundings import Surroundings

_CHECKS = {
    "rules": "promtool check rules {out}/*.yml",
    "alertmanager": "amtool check-config {out}/alertmanager.yml",
    "prometheus": "promtool check config {out}/prometheus.yml",
    "grafana": "ls {out}/dashboards",
}


@click.command()
@click.argument("what", type=click.Choice(list(_CHECKS)))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The directory to write to; files of the same names there are replaced.",
)
@click.option("--job", default="engagement", show_default=True, help="Prometheus job of workers.")
@click.option("--prefix", default="Engagement", show_default=True, help="Of the alerts' names.")
@click.option("--site", "sites", multiple=True, help="Only this site raises product alerts.")
@click.option("--dashboards", default="http://127.0.0.1:3000", show_default=True, help="Grafana.")
@click.option(
    "--runbook", default="deploy/README.md", show_default=True, help="Where people read it."
)
@click.option("--target", "targets", multiple=True, help="host:port of a worker to scrape.")
@click.option("--alertmanager", default="alertmanager:9093", show_default=True, help="host:port.")
@click.option("--prometheus", default="prometheus:9090", show_default=True, help="host:port.")
@click.option("--webhook", "webhooks", multiple=True, help="RECEIVER=URL, to notify it.")
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

    What deploy/ ships, made for your own job name, sites and addresses. The rules follow the
    settings, such as ctr.denominator.

    \b
    Example:   engage export rules --out /etc/prometheus/rules --job shop-workers
               engage export alertmanager --out . --webhook oncall=https://hooks.example.org/1
               engage export prometheus --out . --target 127.0.0.1:6067 --target 127.0.0.1:6068
               engage export grafana --out /etc/grafana --prometheus 127.0.0.1:9090
    """
    from agents.monitoring.grafana.files import grafana_files
    from agents.monitoring.rules.files import (
        alertmanager_files,
        prometheus_files,
        rule_files,
        write_files,
    )

    place = _surroundings(**options)
    if what == "rules":
        files = rule_files(settings, place)
    elif what == "alertmanager":
        files = alertmanager_files(place)
    elif what == "grafana":
        files = grafana_files(settings, place)
    else:
        files = prometheus_files(settings, place)
    for path in write_files(out, files):
        click.echo(path)
    click.echo(f"look at them with: {_CHECKS[what].format(out=out)}")
    return 0


def _surroundings(
    *,
    job: str,
    prefix: str,
    sites: Sequence[str],
    dashboards: str,
    runbook: str,
    targets: Sequence[str],
    alertmanager: str,
    prometheus: str,
    webhooks: Sequence[str],
    speed: float,
) -> "Surroundings":
    """The options as one value. Raises click.UsageError for what no configuration could hold."""
    from agents.monitoring.rules.pace import Pace
    from agents.monitoring.rules.surroundings import Surroundings

    if not re.fullmatch(r"[\w.:/-]+", job):
        raise click.UsageError(f"--job {job!r}: use letters, digits and . : / _ -")
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", prefix):
        raise click.UsageError(f"--prefix {prefix!r}: use letters and digits, such as Shop")
    for address in (*targets, alertmanager, prometheus):
        if not re.fullmatch(r"[^\s/]+:\d{1,5}", address):
            raise click.UsageError(f"{address!r} is no host:port, such as 127.0.0.1:6067")
    return Surroundings(
        job=job,
        prefix=prefix,
        sites=tuple(sites),
        dashboards=dashboards.rstrip("/"),
        runbook=runbook,
        targets=tuple(targets),
        alertmanager=alertmanager,
        prometheus=prometheus,
        webhooks=dict(_webhook(text) for text in webhooks),
        pace=Pace(speed),
    )


def _webhook(text: str) -> tuple[str, str]:
    from agents.monitoring.rules.routing import RECEIVERS

    receiver, _, url = text.partition("=")
    if receiver not in RECEIVERS or not re.fullmatch(r"https?://\S+", url):
        known = ", ".join(RECEIVERS)
        raise click.UsageError(
            f"--webhook {text!r}: use RECEIVER=URL, with one of {known}, and http:// or https://"
        )
    return receiver, url
