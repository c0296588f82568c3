"""Files for Prometheus and Alertmanager: their names and texts, and which ones are outdated."""

from collections.abc import Mapping
from pathlib import Path

from agents.monitoring.rules.routing import RECEIVERS, routing
from agents.monitoring.rules.rule_file import (
    as_document,
    family_groups,
    pipeline_groups,
    product_groups,
)
from agents.monitoring.rules.scraping import scraping
from agents.monitoring.rules.surroundings import Surroundings
from agents.monitoring.rules.yaml_text import as_yaml
from stream.settings.application import Settings

_MADE = "Made by `engage export {what}` from the metric catalogue; changes here are lost."
_REHEARSAL = (
    "A rehearsal: every duration is divided by {speed:g}, also one that a name mentions.\n"
    "Alerts about the pipeline keep their durations: it starts and recovers no faster."
)


def rule_files(settings: Settings, place: Surroundings) -> dict[str, str]:
    """Build the rule files, by name."""
    head = _head("rules", place)
    groups = {
        "families.yml": family_groups(settings, place),
        "product.yml": product_groups(settings, place),
        "pipeline.yml": pipeline_groups(settings, place),
    }
    return {name: as_yaml(as_document(g, place), head) for name, g in groups.items()}


def alertmanager_files(place: Surroundings) -> dict[str, str]:
    """Build the configuration of Alertmanager."""
    lines = [_head("alertmanager", place), "", "Receivers:"]
    lines += [f"  {name}: {who}" for name, who in RECEIVERS.items()]
    lines += [
        "A receiver without an address sends nothing; see its alerts on Alertmanager's own page.",
        "Give it one with `--webhook product=https://...`, or enter your own.",
    ]
    return {"alertmanager.yml": as_yaml(routing(place), "\n".join(lines))}


def prometheus_files(settings: Settings, place: Surroundings) -> dict[str, str]:
    """Build the configuration of Prometheus, with its rules."""
    files = {"prometheus.yml": as_yaml(scraping(settings.web, place), _head("prometheus", place))}
    rules = rule_files(settings, place)
    return files | {f"rules/{name}": text for name, text in rules.items()}


def shipped_files() -> dict[str, str]:
    """Build the files of deploy/prometheus and deploy/alertmanager."""
    settings, place = Settings(), Surroundings()
    prometheus, alertmanager = prometheus_files(settings, place), alertmanager_files(place)
    return {f"prometheus/{name}": text for name, text in prometheus.items()} | {
        f"alertmanager/{name}": text for name, text in alertmanager.items()
    }


def write_files(directory: Path, files: Mapping[str, str]) -> list[Path]:
    """Write the files under a directory and return their paths. Raises OSError."""
    written = []
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        written.append(path)
    return written


def outdated_files(directory: Path, files: Mapping[str, str]) -> list[Path]:
    """List files that are missing or differ, and .yml files that are no longer generated."""
    paths = {directory / name: text for name, text in files.items()}
    differing = [
        path
        for path, text in paths.items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]
    folders = {path.parent for path in paths}
    extra = {path for folder in folders for path in folder.glob("*.yml")} - paths.keys()
    return sorted([*differing, *extra])


def _head(what: str, place: Surroundings) -> str:
    head = _MADE.format(what=what)
    if place.pace.speed != 1:
        head += "\n" + _REHEARSAL.format(speed=place.pace.speed)
    return head
