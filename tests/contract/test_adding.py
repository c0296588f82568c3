"""Each change in stream/ADDING.md touches few source files, and everything else follows from it."""

import filecmp
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.pages import ROOT, blocks

PAGE = ROOT / "stream" / "ADDING.md"
COPIED = ("agents", "deploy", "schemas", "stream", "tests")
SECONDS = 60.0
#: Order of the page → the source files of the change.
CHANGES = {
    "metric": {"stream/metrics/themes/behaviour.py"},
    "event_type": {"schemas/events/social.py", "stream/metrics/themes/social.py"},
    "setting": {"stream/settings/service.py", "agents/commands/logs.py"},
}


def changes() -> dict[str, str]:
    """Return the diffs of the page."""
    return dict(zip(CHANGES, blocks(PAGE.read_text("utf-8"), "diff"), strict=True))


def touched(diff: str) -> set[str]:
    """Return the files that a diff changes."""
    return set(re.findall(r"^\+\+\+ b/(.+)$", diff, re.MULTILINE))


def run(copy: Path, *command: str, given: str | None = None) -> None:
    """Run a command in a copy, with the packages of the copy and the default settings."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("ENGAGE_", "PYTHON"))}
    done = subprocess.run(
        command,
        cwd=copy,
        env=environ | {"GIT_CEILING_DIRECTORIES": str(copy.parent)},
        input=given,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]


def different(copy: Path) -> Iterator[str]:
    """Yield the files of a copy that are new or differ from the repository's."""
    for top in COPIED:
        for file in (copy / top).rglob("*"):
            name = str(file.relative_to(copy))
            if file.is_file() and "__pycache__" not in name:
                original = ROOT / name
                if not original.exists() or not filecmp.cmp(file, original, shallow=False):
                    yield name


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_touches_its_source_files_and_the_rest_follows(name: str, tmp_path: Path) -> None:
    diff = changes()[name]
    assert touched(diff) == CHANGES[name]
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "node_modules", "pictures")
    for top in COPIED:
        shutil.copytree(ROOT / top, copy / top, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", copy)
    run(copy, "git", "apply", "--whitespace=error-all", "-", given=diff)
    run(copy, sys.executable, "-m", "tests.contract.adding", name)
    sources = sorted(CHANGES[name])
    run(copy, sys.executable, "-m", "ruff", "check", "--no-cache", *sources)
    run(copy, sys.executable, "-m", "ruff", "format", "--no-cache", "--check", *sources)
    follows = set(different(copy)) - CHANGES[name]
    assert follows and all(file.endswith((".md", ".json", ".yml", ".yaml")) for file in follows), (
        follows
    )


def test_the_numbers_of_files_are_those_of_the_headings() -> None:
    headings = re.findall(r"^## .+: (one|two) files?$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert [len(touched(diff)) for diff in changes().values()] == [
        {"one": 1, "two": 2}[number] for number in headings
    ]
