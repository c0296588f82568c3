"""Tools that check deploy/: installed once into the cache, in their own environment."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers.kafka_jars import cache_root
from tests.servers.process import ServerFailed

LOCK = Path(__file__).with_name("requirements-tools.lock")
INSTALL_TIMEOUT = 400.0
RUN_TIMEOUT = 120.0


def run_tool(
    name: str, *arguments: str | Path, given: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a tool, or `python` to use one of the installed libraries."""
    return subprocess.run(
        [_environment() / "bin" / name, *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT,
        check=False,
    )


def _environment() -> Path:
    """Return a virtual environment, keyed by the lock file and by the Python that made it."""
    seed = LOCK.read_bytes() + sys.version.encode()
    target = cache_root() / f"deploy-tools-{hashlib.sha256(seed).hexdigest()[:16]}"
    # Written last: an interrupted installation must never look complete.
    done = target / ".complete"
    if not done.exists():
        shutil.rmtree(target, ignore_errors=True)
        print("installing the tools that check deploy/ (once, about 80 MB)", file=sys.stderr)
        _command(sys.executable, "-m", "venv", target)
        pip = (target / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
        _command(*pip, "install", "-q", "--require-hashes", "--only-binary", ":all:", "-r", LOCK)
        done.touch()
    return target


def _command(*line: str | Path) -> None:
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            line, stdout=output, stderr=output, timeout=INSTALL_TIMEOUT, check=False
        )
        if done.returncode != 0:
            output.seek(0)
            raise ServerFailed(
                f"the tools in {LOCK.name} could not be installed; are the package indexes "
                f"reachable?\n{output.read().decode(errors='replace')[-3000:]}"
            )
