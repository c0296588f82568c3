"""Builds the project as a wheel does, with the compiled core, into a directory of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD_SECONDS = 300


class NotCompiled(Exception):
    """The core cannot be compiled here; the message says why."""


def importing(packages: Path) -> dict[str, str]:
    """The environment in which these packages are what is imported."""
    # Safe path: neither the working directory nor a script's comes before these.
    return {"PYTHONPATH": f"{packages}{os.pathsep}{ROOT}", "PYTHONSAFEPATH": "1"}


def build(directory: Path) -> dict[str, str]:
    """Install the compiled project there; returns the environment in which it is what is imported."""
    sources = directory / "sources"
    packages = directory / "packages"
    sources.mkdir(parents=True)
    # From a copy: building leaves files behind.
    for name in (
        "pyproject.toml",
        "setup.py",
        "README.md",
        "LICENSE",
        "schemas",
        "stream",
        "agents",
    ):
        subprocess.run(["cp", "-r", str(ROOT / name), str(sources)], check=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--target", str(packages), str(sources)]
    done = subprocess.run(
        command,
        env=os.environ | {"ENGAGE_COMPILE": "1"},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if "ENGAGE_COMPILE=1, but " in done.stderr:
        raise NotCompiled(done.stderr.partition("ENGAGE_COMPILE=1, but ")[2].splitlines()[0])
    if done.returncode:
        raise RuntimeError(f"the build failed:\n{done.stdout[-2_000:]}\n{done.stderr[-4_000:]}")
    return importing(packages)
