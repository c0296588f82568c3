"""Clients of kafka-python for the commands; the worker has its own client."""

import contextlib
import importlib.util
import ssl
import threading
from collections.abc import Iterator
from typing import Any, Self

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from agents.doctor.trouble import kafka_trouble
from stream.kafka.tls import ssl_context
from stream.settings.application import Settings

# A person waits at the terminal.
CONNECT_TIMEOUT_MS = 5_000
# librdkafka's mock cluster answers no newer version and has no idempotent producers.
EMBEDDED_API = (2, 0)


class KafkaUnreachable(Exception):
    """Raised if no broker answers in time, or one refuses; the message says why and what to do."""

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(f"{message}; {mend}" if mend else message)
        self.found, self.mend = message, mend


def client_options(settings: Settings, *, embedded: bool = False) -> dict[str, Any]:
    """Options for connection and security, shared by all clients of kafka-python."""
    kafka = settings.kafka
    options: dict[str, Any] = {
        "bootstrap_servers": [part.strip() for part in kafka.bootstrap_servers.split(",")],
        "security_protocol": kafka.protocol.upper(),
        "bootstrap_timeout_ms": CONNECT_TIMEOUT_MS,
        "request_timeout_ms": CONNECT_TIMEOUT_MS,
        "client_id": f"{settings.app}-command",
    }
    if kafka.protocol.startswith("sasl"):
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_username
        options["sasl_plain_password"] = kafka.sasl_password.reveal()
    if kafka.protocol.endswith("ssl"):
        options["ssl_context"] = ssl_context(settings)
    if embedded:
        options["api_version"] = EMBEDDED_API
    return options


@contextlib.contextmanager
def reaching(settings: Settings) -> Iterator[None]:
    """Turn errors of a client about its connection into KafkaUnreachable."""
    try:
        yield
    except (KafkaError, OSError, AssertionError) as error:
        cause, mend = kafka_trouble(settings, error)
        kafka = settings.kafka
        where = f"Kafka at {kafka.bootstrap_servers} ({kafka.protocol})"
        raise KafkaUnreachable(f"{where}: {cause}", mend) from error


@contextlib.contextmanager
def opening(settings: Settings, *, embedded: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the options for a client's constructor; if it fails, close what it has opened.

    kafka-python leaves its thread and its sockets behind then. Raises KafkaUnreachable.
    """
    connections: list[KafkaNetClient] = []
    sockets: list[ssl.SSLSocket] = []

    def connect(**config: Any) -> KafkaNetClient:
        connections.append(KafkaNetClient(**config))
        return connections[-1]

    class Socket(ssl.SSLSocket):
        def __new__(cls, *given: Any, **named: Any) -> Self:
            self = super().__new__(cls, *given, **named)
            sockets.append(self)
            return self

    try:
        with reaching(settings):
            options = client_options(settings, embedded=embedded)
            context = options.get("ssl_context")
            if context is not None:
                context.sslsocket_class = Socket
            yield options | {"kafka_client": connect}
    except KafkaUnreachable:
        for connection in connections:
            connection.close()
            connection._net.stop()  # noqa: SLF001  only a whole client would stop it
        for one in sockets:
            one.close()
        raise
    # Sockets of an open client are its own.
    if context is not None:
        context.sslsocket_class = ssl.SSLSocket
    sockets.clear()


def open_admin(settings: Settings) -> KafkaAdminClient:
    """Connect an admin client. Raises KafkaUnreachable after 5 s."""
    with opening(settings) as options:
        return KafkaAdminClient(**options)


def open_consumer(settings: Settings, *, embedded: bool = False) -> KafkaConsumer:
    """Connect a consumer without a group, which reads beside the workers and commits nothing."""
    with opening(settings, embedded=embedded) as options:
        return KafkaConsumer(
            **options,
            group_id=None,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
        )


class Sender:
    """Producer with bounded memory that counts the records that brokers confirmed or refused."""

    def __init__(
        self, settings: Settings, *, in_flight_max: int = 20_000, embedded: bool = False
    ) -> None:
        # Long enough for a broker's restart.
        times = {"delivery_timeout_ms": 30_000, "max_block_ms": 10_000}
        idempotence = {"enable_idempotence": False} if embedded else {}
        with opening(settings, embedded=embedded) as options:
            self._producer = KafkaProducer(
                **options | times | idempotence,
                compression_type=_compression(),
                linger_ms=20,
                batch_size=256 * 1024,
                metrics_enabled=False,
                allow_auto_create_topics=embedded,
            )
        self._settings = settings
        self._room = threading.BoundedSemaphore(in_flight_max)
        self._lock = threading.Lock()
        self.confirmed = 0
        self.failed = 0
        self.last_error = ""

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Queue a record; wait while too many are unconfirmed. Raises KafkaUnreachable."""
        self._room.acquire()
        try:
            future = self._producer.send(topic, value=value, key=key)
        except KafkaError as error:
            self._failed(error)
            # A record too large for the broker is its own fault; all other errors are the connection's.
            if type(error).__name__ != "MessageSizeTooLargeError":
                with reaching(self._settings):
                    raise
            return
        future.add_callback(self._confirmed)
        future.add_errback(self._failed)

    def flush(self, timeout_seconds: float = 30.0) -> None:
        """Wait until every record is confirmed or has failed. Raises KafkaUnreachable."""
        with reaching(self._settings):
            self._producer.flush(timeout=timeout_seconds)

    def close(self) -> None:
        """Disconnect and drop unconfirmed records."""
        # It first waits for unconfirmed records, and complains of those.
        with contextlib.suppress(KafkaError):
            self._producer.close(timeout=2.0)

    def _confirmed(self, _: object) -> None:
        with self._lock:
            self.confirmed += 1
        self._room.release()

    def _failed(self, error: Exception) -> None:
        with self._lock:
            self.failed += 1
            self.last_error = f"{type(error).__name__}: {str(error)[:200]}"
        self._room.release()


def _compression() -> str:
    """lz4 if its library is installed, else gzip."""
    return "lz4" if importlib.util.find_spec("lz4") else "gzip"
