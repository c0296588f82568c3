"""Commands report unreachable servers in one plain message and within seconds."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOWHERE = {
    "ENGAGE_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "ENGAGE_REDIS_URL": "redis://127.0.0.1:1",
}


def test_unreachable_servers_are_plain_messages_within_seconds(tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl"
    file.write_text("{}")
    commands = {
        ("topics", "create"): 1, ("tail",): 1, ("replay", str(file)): 1, ("simulate",): 1,
        ("check", "--format", "json"): 1,
    }  # fmt: skip
    environ = os.environ | NOWHERE | {"PYTHONPATH": str(ROOT)}
    # All at once, because each waits five seconds.
    running = {
        command: subprocess.Popen(
            [sys.executable, "-m", "agents", *command],
            cwd=tmp_path, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        for command in commands
    }  # fmt: skip
    for command, process in running.items():
        output, _ = process.communicate(timeout=30)
        assert (command, process.returncode) == (command, commands[command])
        assert "Kafka at 127.0.0.1:1" in output
        assert "Traceback" not in output
