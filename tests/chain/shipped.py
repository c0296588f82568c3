"""Whether rules made for a rehearsal are the shipped ones, apart from their durations."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.alerting.promtool import RULES

#: Not the ones in names, such as increase15m.
_DURATION = re.compile(r"(?<![\w.])(?:\d+[wdhms])+(?!\w)")


def without_durations(file: Path) -> Any:
    """The rules of a file, with a mark in place of every duration."""
    return _marked(yaml.safe_load(file.read_text("utf-8")))


def _marked(part: Any) -> Any:
    if isinstance(part, str):
        # YAML breaks long expressions where a duration happens to be longer.
        return " ".join(_DURATION.sub("DURATION", part).split())
    if isinstance(part, list):
        return [_marked(each) for each in part]
    return {name: _marked(each) for name, each in part.items()} if isinstance(part, dict) else part


def assert_shipped(folder: Path, *names: str) -> None:
    """Each rule file says what deploy/ says, with durations of its own."""
    for name in names:
        assert without_durations(folder / name) == without_durations(RULES / name), name
        assert (folder / name).read_text("utf-8") != (RULES / name).read_text("utf-8")
