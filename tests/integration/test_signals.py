"""SIGTERM ends every command in time, also while Kafka does not answer."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from agents.commands.topics import run_topics_create
from stream.configure.load import load_settings
from tests.faults.worker_process import wait_until
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import free_port

ROOT = Path(__file__).parents[2]
#: Supervisors such as Docker wait this long before they kill.
END_SECONDS = 10.0
TERMINATED = 128 + signal.SIGTERM


class Command(NamedTuple):
    """A command at work; `code` is how SIGTERM ends it."""

    arguments: tuple[str, ...]
    code: int


def started(
    command: Command, environ: dict[str, str], directory: Path
) -> "subprocess.Popen[bytes]":
    with (directory / f"{command.arguments[0]}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "agents", *command.arguments],
            cwd=directory, env=os.environ | environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def terminate(running: "list[tuple[Command, subprocess.Popen[bytes]]]", directory: Path) -> None:
    """Send SIGTERM to all at once, and check how, and how soon, each of them ends."""
    for command, process in running:
        assert process.poll() is None, f"{command} has ended:\n{output(command, directory)}"
        process.terminate()
    began = time.monotonic()
    for command, process in running:
        try:
            code = process.wait(max(began + END_SECONDS - time.monotonic(), 0.01))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{command} runs on:\n{output(command, directory)}") from None
        finally:
            process.kill()
            process.communicate()
        assert code == command.code, f"{command}:\n{output(command, directory)}"
        assert "Traceback" not in output(command, directory)


def output(command: Command, directory: Path) -> str:
    return (directory / f"{command.arguments[0]}.log").read_text()


def test_sigterm_ends_commands_while_kafka_is_stalled(
    own_kafka: KafkaServer, redis_url: str, tmp_path: Path
) -> None:
    environ = {
        "ENGAGE_KAFKA_BOOTSTRAP_SERVERS": own_kafka.bootstrap, "ENGAGE_REDIS_URL": redis_url,
        "ENGAGE_WEB_PORT": str(free_port()),
    }  # fmt: skip
    run_topics_create(load_settings(None, environ))
    file = tmp_path / "events.jsonl"
    file.write_text(
        '{"type": "click", "event_id": "1", "event_time": 1, "user_id": "u"}\n' * 400_000
    )
    commands = [
        Command(("tail",), 0),
        Command(("simulate", "--rate", "500"), 0),
        Command(("replay", str(file)), TERMINATED),
    ]
    running = [(command, started(command, environ, tmp_path)) for command in commands]
    wait_until("simulate has begun", lambda: b"sent" in (tmp_path / "simulate.log").read_bytes())
    assert own_kafka.pid is not None
    os.kill(own_kafka.pid, signal.SIGSTOP)
    try:
        # These connect to a broker that does not answer; by default they wait 5 s for it.
        late = [Command(("backfill",), TERMINATED), Command(("topics", "create"), TERMINATED)]
        running += [(command, started(command, environ, tmp_path)) for command in late]
        time.sleep(1.5)
        terminate(running, tmp_path)
    finally:
        os.kill(own_kafka.pid, signal.SIGCONT)


def test_sigterm_ends_commands_at_work(tmp_path: Path) -> None:
    commands = [
        Command(("report", "--format", "json", "-"), TERMINATED),
        Command(("demo",), 0),
        Command(("top",), 1),
    ]
    environ = {"ENGAGE_WEB_PORT": str(free_port())}
    running = [(command, started(command, environ, tmp_path)) for command in commands]
    wait_until(
        "the demonstration sends the past", lambda: b"/live" in (tmp_path / "demo.log").read_bytes()
    )
    wait_until("top looks", lambda: bool((tmp_path / "top.log").read_bytes()))
    terminate(running, tmp_path)
