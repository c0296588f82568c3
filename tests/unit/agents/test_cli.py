"""The command line explains itself and turns every expected failure into one plain message."""

import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest
from click.testing import CliRunner, Result

from agents.cli.main import main
from agents.commands.kafka_clients import KafkaUnreachable
from agents.simulation.traffic import Trouble
from stream.settings.application import Settings

ROOT = Path(__file__).parents[3]


def leaves(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command that is not a group."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, *path, name)
        else:
            yield *path, name


COMMANDS = list(leaves(main))
Calls = list[tuple[tuple[Any, ...], dict[str, Any]]]
Installer = Callable[[str, str, object], Calls]
NOWHERE = {
    "ENGAGE_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "ENGAGE_REDIS_URL": "redis://127.0.0.1:1",
}


def engage(*arguments: str, environ: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), env=environ or {})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty directory, apart from the engage.toml of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Installer:
    """Replace a lazily imported function by one that records its calls."""

    def install(module: str, function: str, result: object) -> Calls:
        calls: Calls = []

        def called(*args: object, **kwargs: object) -> object:
            calls.append((args, kwargs))
            if isinstance(result, Exception):
                raise result
            return result

        fake = types.ModuleType(module)
        setattr(fake, function, called)
        monkeypatch.setitem(sys.modules, module, fake)
        return calls

    return install


def test_help_lists_every_command() -> None:
    result = engage("--help")
    assert result.exit_code == 0
    assert len(COMMANDS) >= 16
    assert all(command[0] in result.output for command in COMMANDS)
    assert "--config" in result.output and "Exit codes:" in result.output


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_shows_an_example(command: tuple[str, ...]) -> None:
    result = engage(*command, "--help")
    assert result.exit_code == 0
    assert f"engage {' '.join(command)}" in result.output.partition("Example:")[2]
    assert "Exit codes: 0 " in result.output
    assert "--config FILE" in result.output


def test_help_needs_no_client_library() -> None:
    clients = "{'kafka', 'redis', 'faust'}"
    code = f"import sys, agents.cli.main; sys.exit(bool({clients} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("command", [("worker",), ("tail",), ("topics", "create"), ("metrics",)])
def test_configuration_errors_are_listed_with_exit_code_two(command: tuple[str, ...]) -> None:
    result = engage(*command, environ={"ENGAGE_WEB_PORT": "x", "ENGAGE_TIMEZONE": "Mars"})
    assert result.exit_code == 2
    assert "2 problems in the configuration" in result.output
    assert "ENGAGE_WEB_PORT" in result.output and "Mars" in result.output
    assert "Traceback" not in result.output


def test_the_config_option_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("bogus = 1")
    for result in (
        engage("--config", str(file), "metrics"),
        engage("metrics", environ={"ENGAGE_CONFIG": str(file)}),
    ):
        assert result.exit_code == 2
        assert "bogus" in result.output and "mine.toml" in result.output


def arguments_of(command: tuple[str, ...], tmp_path: Path) -> list[str]:
    """Return the arguments that a command requires."""
    file = tmp_path / "events.jsonl"
    file.write_text("")
    needed = {
        "report": [file],
        "map": ["--preset", "segment", file],
        "detect": [file],
        "replay": [file],
        "churn-risk": [file],
        "query": ["page_views"],
        "export": ["rules", "--out", tmp_path],
    }
    if command == ("state", "copy"):
        return ["other"]
    return [str(one) for one in needed.get(command[0], [])]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_config_stands_before_or_after_every_command(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.commands.check.kafka_findings", lambda _: [])
    monkeypatch.setattr("agents.commands.check.redis_findings", lambda _: [])
    monkeypatch.setattr("agents.commands.check.state_findings", lambda *_: [])
    file, other = tmp_path / "mine.toml", tmp_path / "other.toml"
    file.write_text("bogus = 1")
    other.write_text("strange = 1")
    chosen, rest = ["--config", str(file)], arguments_of(command, tmp_path)
    for line in (
        [*chosen, *command, *rest],
        [*command, *chosen, *rest],
        [*command, *rest, *chosen],
        [command[0], *chosen, *command[1:], *rest],
        # Of two, the later one wins.
        ["--config", str(other), *command, *chosen, *rest],
        ["--config", "/no/such", *command, *rest, *chosen],
    ):
        result = engage(*line, environ={"ENGAGE_CONFIG": str(other)})
        assert result.exit_code == (1 if command == ("check",) else 2), line
        assert "bogus" in result.output and "strange" not in result.output, line


@pytest.mark.parametrize(
    ("arguments", "question"),
    [(("reprot",), "did you mean report?"), (("topics", "creat"), "did you mean create?")],
)
def test_a_misspelt_command_is_answered_with_the_nearest(
    arguments: tuple[str, ...], question: str
) -> None:
    result = engage(*arguments)
    assert result.exit_code == 2
    assert f"No such command '{arguments[-1]}'. {question}" in result.output
    assert "did you mean" not in engage("zzz").output


def test_check_reports_everything_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(_: Settings) -> NoReturn:
        raise KafkaUnreachable("no broker; start one")

    monkeypatch.setattr("agents.commands.check.open_admin", unreachable)
    result = engage("check", "--format", "json", environ=NOWHERE | {"ENGAGE_WEB_PORT": "x"})
    assert result.exit_code == 1
    assert "ENGAGE_WEB_PORT" in result.output
    assert "start one" in result.output
    assert "redis redis://127.0.0.1:1" in result.output


def test_worker_exit_code_is_passed_on(stand_in: Installer) -> None:
    calls = stand_in("agents.worker", "run_worker", 3)
    result = engage("worker", environ={"ENGAGE_APP": "shop"})
    assert result.exit_code == 3
    assert calls[0][0][0].app == "shop"


def test_demo_simulate_and_report_get_their_options(stand_in: Installer, tmp_path: Path) -> None:
    for command in ("demo", "simulate"):
        calls = stand_in(f"agents.simulation.{command}", f"run_{command}", 0)
        assert engage(command, "--spike", "churn", "--rate", "5", "--seconds", "2").exit_code == 0
        trouble = Trouble("churn", 60.0, {"demo": 90.0, "simulate": 1_800.0}[command])
        assert calls[0][1] == {"trouble": trouble, "rate": 5.0, "seconds": 2.0}
        assert engage(command, "--spike", "bounce", "--spike-after", "1", "--spike-seconds", "2")
        assert calls[1][1]["trouble"] == Trouble("bounce", 1.0, 2.0)
        assert calls[1][1]["rate"] == {"demo": 150.0, "simulate": 50.0}[command]
        assert engage(command).exit_code == 0
        assert (calls[2][1]["trouble"], calls[2][1]["rate"]) == (None, 50.0)
    report = stand_in("agents.report.command", "run_report", 2)
    file = tmp_path / "e.jsonl"
    file.write_text("")
    arguments = ("--metric", "a", "--metric", "b", "--window", "day", "--format", "csv")
    assert engage("report", *arguments, str(file)).exit_code == 2
    assert report[0][0][1] == [str(file)]
    given = {"metrics": ["a", "b"], "windows": ["day"], "format": "csv"}
    others = {
        "until": None,
        "days": None,
        "as_log": False,
        "compare": False,
        "retention": None,
        "digits": None,
        "full": False,
        "html": None,
        "partitions": 1,
        "jobs": None,
    }
    assert report[0][1] == given | others
    assert engage("report", "--compare", "--retention", "recurring", str(file)).exit_code == 2
    assert (report[1][1]["compare"], report[1][1]["retention"]) == (True, "recurring")
    assert engage("report", "--jobs", "3", str(file)).exit_code == 2
    assert report[2][1]["jobs"] == 3


@pytest.mark.parametrize(
    "arguments",
    [("demo", "--rate", "0"), ("simulate", "--rate", "20001"), ("demo", "--spike", "x"), ("replay",),
     ("replay", "/no/such"), ("replay", "--speed", "0", "-"), ("tail", "--format", "xml"), ("nonsense",)],
)  # fmt: skip
def test_wrong_usage_has_exit_code_two(arguments: tuple[str, ...]) -> None:
    result = engage(*arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.output


def test_external_errors_are_plain_messages_and_defects_are_not(
    stand_in: Installer,
) -> None:
    stand_in("agents.worker", "run_worker", OSError("port 6067 is in use"))
    result = engage("worker")
    assert (result.exit_code, "engage: port 6067 is in use" in result.output) == (1, True)
    stand_in("agents.worker", "run_worker", ZeroDivisionError())
    assert isinstance(engage("worker").exception, ZeroDivisionError)
