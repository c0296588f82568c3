"""Build the project as a wheel does, with the compiled core, into its own directory."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD_SECONDS = 300


class NotCompiled(Exception):
    """The core cannot be compiled on this machine; the message gives the reason."""


def importing(packages: Path) -> dict[str, str]:
    """Return the environment in which Python imports these packages."""
    # Safe path: the packages come before the working directory and before a script's directory.
    return {"PYTHONPATH": f"{packages}{os.pathsep}{ROOT}", "PYTHONSAFEPATH": "1"}


def built(directory: Path) -> dict[str, str]:
    """Return the environment of an earlier build in the directory; build there if there is none."""
    packages = directory / "packages"
    return importing(packages) if packages.is_dir() else build(directory)


def build(directory: Path) -> dict[str, str]:
    """Install the compiled project into a directory; return the environment that imports it."""
    sources = directory / "sources"
    packages = directory / "packages"
    sources.mkdir(parents=True)
    # Build a copy, because a build leaves files behind.
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
