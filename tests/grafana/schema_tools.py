"""JSON schemas of dashboards and panels, made from Grafana's own types: fetched once into the cache."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import missing
from tests.servers.kafka_jars import cache_root
from tests.servers.process import ServerFailed, ServerMissing

PACKAGES = Path(__file__).with_name("schema")
INSTALL_TIMEOUT = 300.0
_TYPES = "node_modules/@grafana/schema/dist/types/raw"
_DASHBOARD = f"{_TYPES}/dashboard/x/types.gen.d.ts"
_PANEL = f"{_TYPES}/composable/{{plugin}}/panelcfg/x/types.gen.d.ts"
#: Kinds of panels whose options Grafana publishes; lists of alerts have none.
PLUGINS = ("stat", "timeseries", "bargauge", "table")
_WANTED = (
    ("dashboard", _DASHBOARD, "Dashboard"),
    *((plugin, _PANEL.format(plugin=plugin), "Options") for plugin in PLUGINS),
    *((f"{p}-field", _PANEL.format(plugin=p), "FieldConfig") for p in ("timeseries", "table")),
)


@cache
def schema(name: str) -> dict[str, Any]:
    """Return the schema of a `dashboard`, of the options of a plugin, or of its fields (`…-field`)."""
    return dict(json.loads((_schemas() / f"{name}.json").read_text("utf-8")))


def _schemas() -> Path:
    """Return the directory with all schemas, keyed by the lock file."""
    lock = (PACKAGES / "package-lock.json").read_bytes()
    target = cache_root() / f"grafana-schema-{hashlib.sha256(lock).hexdigest()[:16]}"
    # Written last: an interrupted installation must never look complete.
    done = target / ".complete"
    if not done.exists():
        npm, node = needed("npm"), needed("node")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(PACKAGES, target)
        print("fetching Grafana's types (once, about 10 MB)", file=sys.stderr)
        command(target, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        maker = "node_modules/ts-json-schema-generator/bin/ts-json-schema-generator"
        for name, path, type_ in _WANTED:
            paths = ("--path", path, "--type", type_, "--no-type-check", "--out", f"{name}.json")
            command(target, node, maker, *paths)
        shutil.rmtree(target / "node_modules")
        done.touch()
    return target


def needed(program: str) -> str:
    """Return the path of npm or node; if missing, skip the test, or fail in CI."""
    path = shutil.which(program)
    if path is None:
        missing(ServerMissing(f"{program} is not on the path: install it (apt install npm)"))
    return path


def command(directory: Path, *line: str) -> None:
    """Run a command of npm's world in a directory. Raises ServerFailed with its output."""
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            line, cwd=directory, stdout=output, stderr=output, timeout=INSTALL_TIMEOUT
        )
        if done.returncode != 0:
            output.seek(0)
            raise ServerFailed(
                f"{' '.join(line)} failed in {directory}; is the package registry reachable?\n"
                f"{output.read().decode(errors='replace')[-3000:]}"
            )
