"""Start the embedded pair for a demonstration: a Kafka cluster and a Redis."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from agents.commands.check_redis import VERSION_MIN
from agents.simulation.redis_program import find_redis_program, install_command

if TYPE_CHECKING:
    from confluent_kafka import Producer

INSTALL = 'pip install "engagement-stream[embedded]"'
START_TIMEOUT = 10.0


class EmbeddedMissing(RuntimeError):
    """Say that a server of the embedded pair is not installed, and how to install it."""


class EmbeddedFailed(RuntimeError):
    """An embedded server is installed but did not start."""


class EmbeddedKafka:
    """The mock cluster inside librdkafka, for demonstrations: it lives in this process's memory.

    Each topic has four partitions and exists from its first use; a creation request is refused.
    Only the newest 5 MB of a partition are kept. confluent-kafka and aiokafka work with it as they
    are, kafka-python needs `api_version=(2, 0)`. A consumer group should have one member: the
    cluster refused a second Faust worker while the group was forming.
    """

    def __init__(self) -> None:
        self._owner: Producer | None = None

    def start(self) -> str:
        """Start it and return its bootstrap address."""
        try:
            from confluent_kafka import Producer
        except ImportError as error:
            raise EmbeddedMissing(f"the embedded Kafka is not installed: {INSTALL}") from error
        # The cluster ends with the client that asked for it. Its name takes the place of any
        # bootstrap address, and the metadata tells where it really listens. The log level keeps
        # its notice about that off the terminal.
        self._owner = Producer({"test.mock.num.brokers": 1, "log_level": 3})
        brokers = self._owner.list_topics(timeout=START_TIMEOUT).brokers
        return ",".join(f"{broker.host}:{broker.port}" for broker in brokers.values())

    def create_topics(self, names: Iterable[str]) -> None:
        """Bring topics into being before anyone writes, by asking about them."""
        if self._owner is None:
            raise EmbeddedFailed("the embedded Kafka is not started")
        for name in names:
            self._owner.list_topics(name, timeout=START_TIMEOUT)

    def stop(self) -> None:
        """End the cluster; its records are gone."""
        self._owner = None


class EmbeddedRedis:
    """A Redis for demonstrations, from the path or from a wheel: nothing is kept on disk."""

    def __init__(self) -> None:
        self._end: weakref.finalize[[subprocess.Popen[bytes], Path], EmbeddedRedis] | None = None

    def start(self) -> str:
        """Start it on a free loopback port and return its URL."""
        program = find_redis_program()
        if program is None:
            least = ".".join(map(str, VERSION_MIN))
            raise EmbeddedMissing(
                f"the demonstration finds no Redis {least} or newer; install it: {install_command()}"
            )
        directory = Path(tempfile.mkdtemp(prefix="engage-redis-"))
        port = free_port()
        process = subprocess.Popen(
            [
                *(program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory)),
                *("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # Ctrl-C must reach it last, when the worker has made its final cut.
            start_new_session=True,
        )
        # Also runs when this process exits without calling stop().
        self._end = weakref.finalize(self, _end_server, process, directory)
        _wait_for_pong(port, program, process)
        return f"redis://127.0.0.1:{port}/0"

    def stop(self) -> None:
        """End it and remove its directory."""
        if self._end is not None:
            self._end()


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_pong(port: int, program: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection,
        ):
            connection.sendall(b"PING\r\n")
            if connection.recv(16).startswith(b"+PONG"):
                return
        time.sleep(0.02)
    raise EmbeddedFailed(f"the embedded Redis ({program}) did not start")


def end_process(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Tell a child to end, and make it when it takes longer than that."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_server(process: "subprocess.Popen[bytes]", directory: Path) -> None:
    end_process(process, 5.0)
    shutil.rmtree(directory, ignore_errors=True)
