"""Comparison of a rehearsal's rules with the shipped ones, except for their durations."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.alerting.promtool import RULES

#: Excludes durations in names, such as increase15m.
_DURATION = re.compile(r"(?<![\w.])(?:\d+[wdhms])+(?!\w)")


def without_durations(file: Path) -> Any:
    """Return the rules of a file, with a placeholder for every duration."""
    return _with_placeholders(yaml.safe_load(file.read_text("utf-8")))


def _with_placeholders(part: Any) -> Any:
    if isinstance(part, str):
        # YAML breaks an expression where a long duration reaches the end of the line.
        return " ".join(_DURATION.sub("DURATION", part).split())
    if isinstance(part, list):
        return [_with_placeholders(each) for each in part]
    return (
        {name: _with_placeholders(each) for name, each in part.items()}
        if isinstance(part, dict)
        else part
    )


def assert_shipped(folder: Path, *names: str) -> None:
    """Assert that each rule file equals the one in deploy/, except for its durations."""
    for name in names:
        assert without_durations(folder / name) == without_durations(RULES / name), name
        assert (folder / name).read_text("utf-8") != (RULES / name).read_text("utf-8")
