"""`engage export`: writes rules, routes, scrapes and dashboards for other stacks than deploy/."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.monitoring.grafana.files import grafana_files
from agents.monitoring.rules.files import (
    alertmanager_files,
    prometheus_files,
    rule_files,
    write_files,
)
from agents.monitoring.rules.pace import Pace
from agents.monitoring.rules.surroundings import Surroundings
from stream.settings.application import Settings

#: The command that checks what was written.
_CHECKS = {
    "rules": "promtool check rules {out}/*.yml",
    "alertmanager": "amtool check-config {out}/alertmanager.yml",
    "prometheus": "promtool check config {out}/prometheus.yml",
    "grafana": "ls {out}/dashboards",
}


def run_export(settings: Settings, what: str, out: Path, **options: Any) -> int:
    """Write the files of `what`, print their paths and the command that checks them; 0."""
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
        print(path)
    print(f"check them with: {_CHECKS[what].format(out=out)}")
    return 0


def _surroundings(
    *, sites: Sequence[str], dashboards: str, targets: Sequence[str], webhooks: Sequence[str],
    speed: float, **texts: Any,
) -> Surroundings:  # fmt: skip
    """Turn the options of the command into the surroundings of the workers."""
    return Surroundings(
        sites=tuple(sites),
        dashboards=dashboards.rstrip("/"),
        targets=tuple(targets),
        webhooks=dict(webhook.split("=", 1) for webhook in webhooks),
        pace=Pace(speed),
        **texts,
    )
