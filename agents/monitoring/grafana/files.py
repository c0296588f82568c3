"""Files for Grafana: dashboards and provisioning, and which ones are outdated."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.monitoring.grafana.campaigns import campaigns
from agents.monitoring.grafana.classic import as_classic
from agents.monitoring.grafana.engagement import engagement
from agents.monitoring.grafana.panel import Dashboard
from agents.monitoring.grafana.pipeline import pipeline
from agents.monitoring.grafana.provisioning import datasources, providers
from agents.monitoring.rules import files
from agents.monitoring.rules.surroundings import Surroundings
from agents.monitoring.rules.yaml_text import as_yaml
from stream.settings.application import Settings

_MADE = "Made by `engage export grafana` from the metric catalogue; changes here are lost."
#: Rules of Grafana's dashboard-linter that do not apply here, with the reason.
_INSTANCES = "Every worker serves the same numbers: recording rules have made all instances one."
_LINT = {
    "exclusions": {
        "template-instance-rule": {"reason": _INSTANCES},
        "target-instance-rule": {"reason": _INSTANCES},
    }
}


def all_dashboards(settings: Settings, place: Surroundings) -> tuple[Dashboard, ...]:
    """Build each dashboard for the settings."""
    return tuple(make(settings, place) for make in (engagement, campaigns, pipeline))


def grafana_files(settings: Settings, place: Surroundings) -> dict[str, str]:
    """Build the files that are mounted into Grafana."""
    made = {
        f"dashboards/{dashboard.uid}.json": _as_json(as_classic(dashboard, place))
        for dashboard in all_dashboards(settings, place)
    }
    return made | {
        "dashboards/.lint": as_yaml(_LINT, _MADE),
        "provisioning/datasources/engagement.yml": as_yaml(datasources(place), _MADE),
        "provisioning/dashboards/engagement.yml": as_yaml(providers(), _MADE),
    }


def shipped_files() -> dict[str, str]:
    """Build the files of deploy/grafana."""
    return grafana_files(Settings(), Surroundings())


def outdated_files(directory: Path, wanted: Mapping[str, str]) -> list[Path]:
    """List files that are missing or differ, and those that are no longer generated."""
    dashboards = {directory / name for name in wanted if name.endswith(".json")}
    extra = {path for file in dashboards for path in file.parent.glob("*.json")} - dashboards
    return sorted({*files.outdated_files(directory, wanted), *extra})


def _as_json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
