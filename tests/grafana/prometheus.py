"""Real Prometheus on stored samples: those of the page, and those of the recording rules."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.alerting.promtool import records, run, tool
from tests.alerting.servers import PrometheusServer

_RECORDED = re.compile(r"[a-z]+:[a-zA-Z0-9_]+:[a-zA-Z0-9_]+")


class StoredPrometheus(PrometheusServer):
    """Prometheus that scrapes nothing and only answers."""

    def __init__(self) -> None:
        super().__init__()
        (self.directory / "prometheus.yml").write_text("{}\n", "utf-8")
        self.data.mkdir()

    def add_samples(self, file: Path) -> None:
        """Store samples in it; it must not run."""
        self._promtool("create-blocks-from", "openmetrics", str(file), str(self.data))

    def add_recorded(self, spans: tuple[tuple[int, int], ...], step_seconds: int) -> None:
        """Evaluate the shipped recording rules for spans of the past: (first, last) in seconds."""
        for number, rules in enumerate(by_depth()):
            file = self.directory / f"depth-{number}.yml"
            file.write_text(yaml.safe_dump({"groups": [{"name": "r", "rules": rules}]}), "utf-8")
            self.start()
            for first, last in spans:
                self._promtool(
                    "create-blocks-from", "rules", f"--url={self.url}", f"--start={first}",
                    f"--end={last}", f"--eval-interval={step_seconds}s",
                    f"--output-dir={self.data}", str(file),
                )  # fmt: skip
            self.stop()

    def _promtool(self, *arguments: str) -> None:
        done = run(tool("promtool"), "tsdb", *arguments)
        assert done.returncode == 0, done.stdout[-3000:]


def by_depth() -> list[list[dict[str, Any]]]:
    """Return the rules by depth: those that read no recorded series first, then those that read them."""
    known = records()
    left = {name: {*_RECORDED.findall(rule["expr"])} for name, rule in known.items()}
    levels = []
    while left:
        ready = [name for name, needs in left.items() if not needs & left.keys()]
        assert ready, f"rules that rest on each other: {sorted(left)}"
        levels.append([known[name] for name in ready])
        left = {name: needs for name, needs in left.items() if name not in ready}
    return levels
