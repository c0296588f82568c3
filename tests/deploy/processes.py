"""Services of compose.yaml as processes on loopback instead of containers.

Commands, variables and files are those of compose.yaml; only addresses, ports and directories
differ.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.deploy import ROOT
from tests.deploy.compose import arguments, environment, properties, shipped
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerMissing, ServerProcess, ask, free_port
from tests.servers.redis_server import installed_redis


class ComposeKafka(KafkaServer):
    """Broker with deploy/kafka/server.properties, moved to free ports."""

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
        """Return the format command of compose.yaml."""
        (script,) = arguments("kafka")
        words = script.replace("\\\n", " ").split()
        begin = words.index("/opt/kafka/bin/kafka-storage.sh") + 1
        words = words[begin : words.index("exec")]
        return [str(self._properties) if word.startswith("/etc/") else word for word in words]


class ComposeRedis(ServerProcess):
    """redis-server with the arguments of compose.yaml, moved to a free port and directory."""

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
    """Our services as processes, with the variables of compose.yaml."""

    def __init__(self, kafka: KafkaServer, redis: ComposeRedis, log_directory: Path) -> None:
        self._places = {"kafka:9092": kafka.bootstrap, "redis:6379": f"127.0.0.1:{redis.port}"}
        self._log_directory = log_directory
        self._count = 0

    def start(self, name: str, port: int = 0, *words: str) -> "subprocess.Popen[bytes]":
        """Start a service that serves its page on `port`; `words` replace its command."""
        environ = {key: self._moved(value) for key, value in environment(name).items()}
        # A container listens on its own addresses; here 0.0.0.0 would open the port to the network.
        environ |= {"ENGAGE_WEB_HOST": "127.0.0.1", "ENGAGE_WEB_PORT": str(port)} if port else {}
        others = {key: value for key, value in os.environ.items() if key[:7] != "ENGAGE_"}
        self._count += 1
        with (self._log_directory / f"{name}-{self._count}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "agents", *(words or arguments(name))],
                env=others | environ | {"PYTHONPATH": str(ROOT)},
                cwd=self._log_directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _moved(self, value: str) -> str:
        for place, real in self._places.items():
            value = value.replace(place, real)
        return value

    def logs(self) -> str:
        return "\n".join(
            f"{p.name}\n{p.read_text()[-1500:]}" for p in self._log_directory.glob("*.log")
        )
