"""kafka-python clients for the commands, made from the settings; the worker has its own client."""

import contextlib
import importlib.util
import threading
from collections.abc import Iterator
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from stream.settings.application import Settings

# Every wait for a broker ends after this long; a person is looking at the terminal.
CONNECT_TIMEOUT_MS = 5_000
# librdkafka's mock cluster answers nothing newer, and knows no idempotent producers.
EMBEDDED_API = (2, 0)


class KafkaUnreachable(Exception):
    """No broker answered in time, or it refused us; the message says which and what to look at."""


def client_options(settings: Settings, *, embedded: bool = False) -> dict[str, Any]:
    """Connection and security options that all kafka-python clients share."""
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
        files = ("ssl_cafile", "ssl_certfile", "ssl_keyfile")
        options.update({name: getattr(kafka, name) or None for name in files})
    if embedded:
        options["api_version"] = EMBEDDED_API
    return options


@contextlib.contextmanager
def reaching(settings: Settings) -> Iterator[None]:
    """Turns the client's errors about the connection into KafkaUnreachable."""
    try:
        yield
    except (KafkaError, OSError, AssertionError) as error:
        # The text of the client's errors never holds the password, only server and reason.
        name = type(error).__name__
        reason = str(error).removeprefix(f"{name}: ")[:200]
        raise KafkaUnreachable(
            f"Kafka at {settings.kafka.bootstrap_servers} ({settings.kafka.protocol}): "
            f"{name}: {reason}; "
            "check kafka.bootstrap_servers, kafka.protocol, credentials and the broker itself"
        ) from error


def open_admin(settings: Settings) -> KafkaAdminClient:
    """A connected admin client. Raises KafkaUnreachable after 5 s."""
    with reaching(settings):
        return KafkaAdminClient(**client_options(settings))


def open_consumer(settings: Settings, *, embedded: bool = False) -> KafkaConsumer:
    """A connected consumer without a group: it reads beside the workers and commits nothing."""
    with reaching(settings):
        return KafkaConsumer(
            **client_options(settings, embedded=embedded),
            group_id=None,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
        )


class Sender:
    """A producer with bounded memory that counts what the brokers took and what they did not."""

    def __init__(
        self, settings: Settings, *, in_flight_max: int = 20_000, embedded: bool = False
    ) -> None:
        options = client_options(settings, embedded=embedded)
        # A record may wait for a broker's restart, but not for ever.
        options |= {"delivery_timeout_ms": 30_000, "max_block_ms": 10_000}
        if embedded:
            options["enable_idempotence"] = False
        with reaching(settings):
            self._producer = KafkaProducer(
                **options,
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
        """Queue one record, waiting while too many are unconfirmed. Raises KafkaUnreachable."""
        self._room.acquire()
        try:
            future = self._producer.send(topic, value=value, key=key)
        except KafkaError as error:
            self._failed(error)
            # Too large for the broker is about this record; all others are about the connection.
            if type(error).__name__ != "MessageSizeTooLargeError":
                with reaching(self._settings):
                    raise
            return
        future.add_callback(self._confirmed)
        future.add_errback(self._failed)

    def flush(self, timeout_seconds: float = 30.0) -> None:
        """Wait until every record is confirmed or failed. Raises KafkaUnreachable."""
        with reaching(self._settings):
            self._producer.flush(timeout=timeout_seconds)

    def close(self) -> None:
        """Give up what is unconfirmed and disconnect."""
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
    """lz4 where the library for it is there, else gzip, which is always there."""
    return "lz4" if importlib.util.find_spec("lz4") else "gzip"
