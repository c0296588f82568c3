"""deploy/compose.yaml as data: its services, their commands and their variables."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.deploy import DEPLOY

FILE = DEPLOY / "compose.yaml"
INTERPOLATED = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")


class Published(NamedTuple):
    """Port of the host, or the first of several, and the port inside the container."""

    address: str
    host: int
    container: int


@cache
def document() -> dict[str, Any]:
    """The file with anchors resolved and variables at their defaults."""
    return dict(yaml.safe_load(INTERPOLATED.sub(r"\2", FILE.read_text())))


def services() -> dict[str, dict[str, Any]]:
    return dict(document()["services"])


def ours() -> list[str]:
    """Return the services that run our own image."""
    return [name for name, service in services().items() if "build" in service]


def environment(name: str) -> dict[str, str]:
    """Return the variables of a service; all are written as text."""
    return dict(services()[name].get("environment", {}))


def arguments(name: str) -> list[str]:
    """Return the words after the entry point."""
    command = services()[name].get("command", [])
    return shlex.split(command) if isinstance(command, str) else [str(part) for part in command]


def published(name: str) -> list[Published]:
    """Return the ports that the host can reach."""
    found = []
    for text in services()[name].get("ports", []):
        address, host, container = str(text).rsplit(":", 2)
        found.append(Published(address, int(host.split("-")[0]), int(container)))
    return found


def mounts(name: str) -> dict[str, str]:
    """Return the mounts by path in the container: a file of ours, or the name of a volume."""
    parts = (str(text).split(":") for text in services()[name].get("volumes", []))
    return {target: source for source, target, *_ in parts}


def shipped(name: str, path: str) -> Path:
    """Return our file that a container sees at `path`."""
    for target, source in mounts(name).items():
        if source.startswith("./") and path.startswith(f"{target}/"):
            return DEPLOY / source / path[len(target) + 1 :]
    raise AssertionError(f"{name}: nothing of ours is mounted at {path}")


def properties(path: Path) -> dict[str, str]:
    """Return the entries of a Java properties file."""
    lines = (line for line in path.read_text().splitlines() if line and line[0] != "#")
    return dict(line.split("=", 1) for line in lines)
