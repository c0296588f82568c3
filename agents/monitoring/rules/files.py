"""The files that follow from the definitions: their names, their texts, and whether they are current."""

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
    "A rehearsal: every duration is divided by {speed:g}, also those that names speak of.\n"
    "Only the alerts about the pipeline keep theirs: it does not start or recover any faster."
)


def rule_files(settings: Settings, place: Surroundings) -> dict[str, str]:
    """Recording rules and alerts."""
    head = _head("rules", place)
    groups = {
        "families.yml": family_groups(settings, place),
        "product.yml": product_groups(settings, place),
        "pipeline.yml": pipeline_groups(settings, place),
    }
    return {name: as_yaml(as_document(g, place), head) for name, g in groups.items()}


def alertmanager_files(place: Surroundings) -> dict[str, str]:
    """The Alertmanager's configuration."""
    lines = [_head("alertmanager", place), "", "Receivers:"]
    lines += [f"  {name}: {who}" for name, who in RECEIVERS.items()]
    lines += [
        "One without an address notifies nobody; its alerts stand in Alertmanager's own page.",
        "Give it one with `--webhook product=https://...`, or enter what you use.",
    ]
    return {"alertmanager.yml": as_yaml(routing(place), "\n".join(lines))}


def prometheus_files(settings: Settings, place: Surroundings) -> dict[str, str]:
    """The server's configuration, with its rules."""
    files = {"prometheus.yml": as_yaml(scraping(place), _head("prometheus", place))}
    rules = rule_files(settings, place)
    return files | {f"rules/{name}": text for name, text in rules.items()}


def shipped_files() -> dict[str, str]:
    """What deploy/ holds."""
    settings, place = Settings(), Surroundings()
    prometheus, alertmanager = prometheus_files(settings, place), alertmanager_files(place)
    return {f"prometheus/{name}": text for name, text in prometheus.items()} | {
        f"alertmanager/{name}": text for name, text in alertmanager.items()
    }


def write_files(directory: Path, files: Mapping[str, str]) -> list[Path]:
    """Write them under a directory; the paths written. Raises OSError."""
    written = []
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        written.append(path)
    return written


def outdated_files(directory: Path, files: Mapping[str, str]) -> list[Path]:
    """Those that are missing or say something else, and rule files that nothing makes any more."""
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
