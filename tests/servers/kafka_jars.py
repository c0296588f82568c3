"""Jars of the broker: fetched once from Maven Central into a cache, keyed by the pom."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.servers.process import ServerFailed, ServerMissing

POM = Path(__file__).with_name("pom.xml")
FETCH_TIMEOUT = 900.0
PROGRESS_EVERY = 10.0
GOAL = "dependency:copy-dependencies"


def cache_root() -> Path:
    """Return the directory of downloads, which are kept between runs."""
    chosen = os.environ.get("ENGAGE_TEST_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "engagement-stream"


def kafka_jars() -> Path:
    """Return the directory with the broker's jars; fetch them if missing."""
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:16]
    target = cache_root() / f"kafka-{digest}"
    if not target.is_dir():
        _fetch(target)
    return target


def _fetch(target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ServerMissing(
            "Maven is not on the path: install it to fetch the Kafka broker "
            "(Debian: apt install maven, macOS: brew install maven)"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    # Into a temporary directory first: an interrupted download must never look complete.
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        _run_maven(maven, partial)
        try:
            partial.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another run has fetched them meanwhile
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _run_maven(maven: str, directory: Path) -> None:
    command = [
        *(maven, "-B", "-q", "-f", str(POM), GOAL),
        *("-DincludeScope=runtime", f"-DoutputDirectory={directory}"),
    ]
    print("fetching the Kafka broker from Maven Central (once, about 45 MB)", file=sys.stderr)
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        while True:
            try:
                process.wait(PROGRESS_EVERY)
                break
            except subprocess.TimeoutExpired:
                elapsed = time.monotonic() - started
                print(f"  still fetching, {elapsed:.0f} s", file=sys.stderr)
                if elapsed > FETCH_TIMEOUT:
                    process.kill()
        if process.returncode != 0:
            output.seek(0)
            text = output.read().decode(errors="replace")[-3000:]
            raise ServerFailed(f"Maven could not fetch the Kafka broker:\n{text}")
