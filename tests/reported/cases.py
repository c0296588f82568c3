"""The reported inputs: runs `engage report` over those of a case, and names the case of a test."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

CASES = Path(os.environ.get("ENGAGE_CASES") or Path(__file__).parents[3] / "shared" / "cases")
REPORTED = CASES / "reported"
Test = TypeVar("Test", bound=Callable[..., Any])


class Run(NamedTuple):
    """A finished command: its exit code and what it printed."""

    code: int
    stdout: str
    stderr: str

    def records(self) -> list[dict[str, Any]]:
        """Return the printed metric records of --format json."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def value(self, metric: str, window: str = "all", start: str = "", **where: str) -> Any:
        """Return the value of one number. `start`: the day on which its window begins; `where`: its segment."""
        return self.number(metric, window, start, **where)["value"]

    def number(
        self, metric: str, window: str = "all", start: str = "", **where: str
    ) -> dict[str, Any]:
        """Return the one record of a metric, window and segment; `site` in `where` is the site."""
        site = where.pop("site", None)
        found = [
            record
            for record in self.records()
            if record["metric"] == metric
            and record["window"]["kind"] == window
            and (record["window"]["start"] or "").startswith(start)
            and record["dimensions"] == where
            and site in (None, record["site"])
        ]
        assert len(found) == 1, f"{len(found)} records of {metric}, {window}, {start}, {where}"
        return found[0]


def case(*names: str) -> Callable[[Test], Test]:
    """Name the reported cases whose right values a test states (`test_every_case` demands all)."""

    def named(test: Test) -> Test:
        test.reported_cases = names  # type: ignore[attr-defined]
        return test

    return named


def report(
    *arguments: str | Path, settings: str | Path = "", format: str = "json", **environment: str
) -> Run:
    """Run `engage report`. A file that is named alone is one of the reported inputs.

    `settings` names a TOML file (alone: one of the reported ones). `environment`: more variables.
    """
    inputs = [
        str(REPORTED / one) if isinstance(one, str) and (REPORTED / one).is_file() else str(one)
        for one in arguments
    ]
    command = [sys.executable, "-m", "agents"]
    if settings:
        command += ["--config", str(settings if Path(settings).is_file() else REPORTED / settings)]
    command += ["report", "--format", format, *inputs]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, **environment}
    )
    return Run(done.returncode, done.stdout, done.stderr)
