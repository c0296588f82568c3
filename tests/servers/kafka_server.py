"""Real Apache Kafka broker for tests: one KRaft node on loopback."""

import base64
import shutil
import struct
import subprocess
import uuid
from collections.abc import Mapping

from tests.servers.kafka_jars import kafka_jars
from tests.servers.process import ServerFailed, ServerMissing, ServerProcess, ask, free_port

# An ApiVersions request, version 0. The broker answers it only once it has joined its cluster.
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
JVM = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
FORMAT_TIMEOUT = 60.0


class KafkaServer(ServerProcess):
    """Broker and controller in one process; topics are never created automatically."""

    def __init__(
        self, settings: Mapping[str, str] | None = None, *, jvm: tuple[str, ...] = JVM
    ) -> None:
        """`settings` are broker settings that override ours; `jvm` are the options of Java."""
        java = shutil.which("java")
        if java is None:
            raise ServerMissing(
                "Java 17 or newer is not on the path: install it to run the Kafka broker "
                "(Debian: apt install openjdk-17-jre-headless maven)"
            )
        jars = kafka_jars()
        super().__init__("kafka")
        self._java = [java, *jvm, "-Dorg.apache.logging.log4j.level=WARN", "-cp", f"{jars}/*"]
        self._properties = self.directory / "server.properties"
        self._settings = {**self._defaults(), **(settings or {})}

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        if not self._properties.exists():
            self._format()
        return [*self._java, "kafka.Kafka", str(self._properties)]

    def answers(self) -> bool:
        return len(ask(self.port, API_VERSIONS, size=4)) > 0

    def _defaults(self) -> dict[str, str]:
        broker, controller = (f"127.0.0.1:{port}" for port in (self.port, free_port()))
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": controller,
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "log.dirs": str(self.directory / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "1",
            "group.initial.rebalance.delay.ms": "0",
            # Tests use event times of any year; retention follows them and would delete records.
            "log.retention.ms": "-1",
            # After kill() a broker can return only when its old session has run out.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
        }

    def format_arguments(self) -> list[str]:
        """Return the arguments of the storage tool before the first start."""
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # "--cluster-id=": an id may begin with a dash.
        return [
            "format",
            "--standalone",
            f"--cluster-id={cluster}",
            "--config",
            str(self._properties),
        ]

    def _format(self) -> None:
        lines = (f"{key}={value}\n" for key, value in self._settings.items())
        self._properties.write_text("".join(lines))
        done = subprocess.run(
            [*self._java, "kafka.tools.StorageTool", *self.format_arguments()],
            capture_output=True,
            text=True,
            timeout=FORMAT_TIMEOUT,
            check=False,
        )
        if done.returncode != 0:
            self._properties.unlink()
            raise ServerFailed(f"kafka storage could not be formatted:\n{done.stderr[-3000:]}")
