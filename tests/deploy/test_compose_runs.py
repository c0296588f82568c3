"""What compose.yaml starts works together: the same commands, variables and files, as processes.

Instead of containers there are processes on loopback: only addresses, ports and directories differ.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.deploy import ROOT
from tests.deploy.compose import arguments, environment, properties, services, shipped
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerMissing, ServerProcess, ask, free_port
from tests.servers.redis_server import installed_redis

READY_SECONDS = 150.0
METRIC = 'engagement_page_views_total{site="default"}'


class ComposeKafka(KafkaServer):
    """The broker with deploy/kafka/server.properties, moved to free ports."""

    def _defaults(self) -> dict[str, str]:
        text = dict(properties(shipped("kafka", "/etc/engagement/server.properties")))
        controller, host = free_port(), free_port()
        for key, value in text.items():
            value = value.replace("kafka:9092", f"127.0.0.1:{self.port}")
            value = value.replace("0.0.0.0:9092", f"127.0.0.1:{self.port}")
            value = value.replace("0.0.0.0:9094", f"127.0.0.1:{host}")
            value = value.replace("127.0.0.1:9094", f"127.0.0.1:{host}")
            text[key] = value.replace("127.0.0.1:9093", f"127.0.0.1:{controller}")
        return text | {"log.dirs": str(self.directory / "data")}

    def format_arguments(self) -> list[str]:
        """As the command in compose.yaml has them."""
        (script,) = arguments("kafka")
        words = script.replace("\\\n", " ").split()
        begin = words.index("/opt/kafka/bin/kafka-storage.sh") + 1
        words = words[begin : words.index("exec")]
        return [str(self._properties) if word.startswith("/etc/") else word for word in words]


class ComposeRedis(ServerProcess):
    """redis-server with the arguments in compose.yaml, moved to a free port and directory."""

    def __init__(self) -> None:
        binary = installed_redis()
        if binary is None:
            raise ServerMissing("redis-server is not on the path: apt install redis-server")
        super().__init__("redis")
        self._binary = binary

    def command(self) -> list[str]:
        moved = [str(self.directory) if word == "/data" else word for word in arguments("redis")]
        return [self._binary, *moved, "--bind", "127.0.0.1", "--port", str(self.port)]

    def answers(self) -> bool:
        return ask(self.port, b"PING\r\n", size=16).startswith(b"+PONG")


class Chain:
    """The services of ours as processes, with the variables that compose.yaml gives them."""

    def __init__(self, kafka: KafkaServer, redis: ComposeRedis, logs: Path) -> None:
        self._places = {"kafka:9092": kafka.bootstrap, "redis:6379": f"127.0.0.1:{redis.port}"}
        self._logs = logs
        self._count = 0

    def start(self, name: str, port: int = 0) -> "subprocess.Popen[bytes]":
        environ = {key: self._moved(value) for key, value in environment(name).items()}
        # In a container every address is that container's own; here it would be the network's.
        environ |= {"ENGAGE_WEB_HOST": "127.0.0.1", "ENGAGE_WEB_PORT": str(port)} if port else {}
        others = {key: value for key, value in os.environ.items() if key[:7] != "ENGAGE_"}
        self._count += 1
        with (self._logs / f"{name}-{self._count}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "agents", *arguments(name)],
                env=others | environ | {"PYTHONPATH": str(ROOT)},
                cwd=self._logs,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _moved(self, value: str) -> str:
        for place, real in self._places.items():
            value = value.replace(place, real)
        return value

    def told(self) -> str:
        return "\n".join(f"{p.name}\n{p.read_text()[-1500:]}" for p in self._logs.glob("*.log"))


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    try:
        kafka, redis = ComposeKafka(), ComposeRedis()
    except ServerMissing as error:
        missing(error)
    with kafka, redis:
        yield Chain(kafka, redis, tmp_path)


def page(port: int, path: str) -> str:
    """The page, or nothing while it is not served or not ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except (OSError, urllib.error.HTTPError):
        return ""


def test_two_workers_show_the_numbers_of_the_simulated_traffic(chain: Chain) -> None:
    created = chain.start("topics")
    assert created.wait(60) == 0, chain.told()
    assert chain.start("topics").wait(60) == 0, "it must be possible to run it again"
    with ExitStack() as stack:
        ports = [free_port() for _ in range(services()["worker"]["deploy"]["replicas"])]
        workers = [chain.start("worker", port) for port in ports]
        simulator = chain.start("simulator")
        for process in (*workers, simulator):
            stack.callback(process.kill)
        deadline = time.monotonic() + READY_SECONDS
        while not all(page(port, "/readyz") and views(port) > 5_000 for port in ports):
            shown = [(views(port), page(port, "/readyz")) for port in ports]
            assert time.monotonic() < deadline, f"{shown}\n{chain.told()}"
            time.sleep(0.5)
        assert abs(views(ports[0]) - views(ports[1])) < 500
        for process in (simulator, *workers):
            process.send_signal(signal.SIGTERM)
        limit = float(services()["worker"]["stop_grace_period"].removesuffix("s"))
        for process in (simulator, *workers):
            assert process.wait(limit) == 0, chain.told()


def views(port: int) -> float:
    lines = page(port, "/metrics").splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(METRIC))
