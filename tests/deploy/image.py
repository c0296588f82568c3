"""Instructions of the Dockerfile, and a way to run them without a container engine.

The build happens in a directory that stands for `/`. Files are copied as COPY says, and the shell
lines of RUN are executed as written, with the image's directories moved there. The base image
itself is not tested.
"""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from dockerfile_parse import DockerfileParser

from tests.deploy import DEPLOY, ROOT

DOCKERFILE = DEPLOY / "Dockerfile"
# Directories of the image; all others belong to the base image.
OWN = ("/opt/engage", "/build", "/etc/engage")
RUN_TIMEOUT = 240.0


class Instruction(NamedTuple):
    """One instruction, with its lines joined."""

    name: str
    value: str


def stages() -> list[list[Instruction]]:
    """Return the instructions of each stage, FROM first."""
    with tempfile.TemporaryFile() as file:
        parser = DockerfileParser(fileobj=file, env_replace=False)
        parser.content = DOCKERFILE.read_text()
        parsed = [
            Instruction(entry["instruction"], entry["value"])
            for entry in parser.structure
            if entry["instruction"] != "COMMENT"
        ]
    begins = [number for number, entry in enumerate(parsed) if entry.name == "FROM"]
    ends = [*begins[1:], len(parsed)]
    return [parsed[begin:end] for begin, end in zip(begins, ends, strict=True)]


def values(stage: list[Instruction], name: str) -> list[str]:
    """Return the text after each instruction of that name."""
    return [entry.value for entry in stage if entry.name == name]


def environment(stage: list[Instruction]) -> dict[str, str]:
    """Return all variables that ENV sets."""
    pairs = (pair for value in values(stage, "ENV") for pair in value.split())
    return dict(pair.split("=", 1) for pair in pairs)


def command_line(stage: list[Instruction], name: str) -> list[str]:
    """Return ENTRYPOINT, CMD or the command of HEALTHCHECK, which must be in the form of a list."""
    (value,) = values(stage, name)
    return list(json.loads(value[value.index("[") :]))


def context_files() -> list[str]:
    """Return the paths of the work tree that .dockerignore lets through."""
    listed = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in listed if line and not line.startswith("#")]
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in (".git", ".venv", ".venv-peers")]
        for name in files:
            path = str((Path(folder) / name).relative_to(ROOT))
            if not _is_ignored(path, rules):
                found.append(path)
    return sorted(found)


def _is_ignored(path: str, rules: list[str]) -> bool:
    """Return whether the last rule that matches the path or a directory above it ignores it."""
    parts = path.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    ignored = False
    for rule in rules:
        pattern = rule.removeprefix("!")
        if any(_matches(prefix, pattern) for prefix in above):
            ignored = not rule.startswith("!")
    return ignored


def _matches(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch.fnmatchcase(path.rsplit("/", 1)[-1], pattern[3:])
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


class Build:
    """Run of the first stage in `root`, with this Python in place of the base image's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.opt = root / "opt" / "engage"
        self._base = root / "usr"
        self._folder = root

    def run(self) -> None:
        """Run all instructions of the build stage, in order."""
        # Packages can be installed into the base image's Python, but not into this machine's.
        subprocess.run([sys.executable, "-m", "venv", self._base], check=True, timeout=RUN_TIMEOUT)
        (stage, _) = stages()
        environ = os.environ | environment(stage) | {"PYTHONDONTWRITEBYTECODE": ""}
        environ["ENGAGE_COMPILE_LEVEL"] = "0"  # The same code, built sooner.
        environ["PATH"] = f"{self._base / 'bin'}:{os.environ['PATH']}"
        for entry in stage:
            if entry.name == "WORKDIR":
                self._folder = self.root / entry.value.lstrip("/")
                self._folder.mkdir(parents=True)
            elif entry.name == "COPY":
                self._copy(entry.value)
            elif entry.name == "RUN":
                self._shell(entry.value, environ)

    def _copy(self, value: str) -> None:
        *sources, target = value.split()
        known = context_files()
        for source in sources:
            chosen = [p for p in known if p == source or p.startswith(f"{source}/")]
            assert chosen, f"COPY {source}: .dockerignore lets nothing of it through"
            for path in chosen:
                inner = Path(path).name if path == source else path[len(source) + 1 :]
                into = self._folder / target / inner
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / path, into)

    def _shell(self, line: str, environ: dict[str, str]) -> None:
        moved = re.sub(rf"(?<![\w/])({'|'.join(OWN)})\b", rf"{self.root}\1", line)
        done = subprocess.run(
            ["sh", "-eu", "-c", moved],
            cwd=self._folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, f"RUN {line}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
