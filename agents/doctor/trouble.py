"""Why Kafka or Redis cannot be reached: the failing step of a connection, in plain words."""

import asyncio
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

from agents.doctor.probe import expiry_of, probe
from stream.configure.connection_errors import Explained, Server, explain
from stream.kafka.tls import ssl_context
from stream.settings.application import Settings

LOGIN_SECONDS = 3.0
REDIS_PORT = 6379


def kafka_trouble(settings: Settings, error: BaseException) -> Explained:
    """Return the cause of a client's error: its clients say "unable to bootstrap" of most of them."""
    group = settings.consumer_group
    found = explain(error, "kafka", group=group)
    if type(error).__name__.endswith(("AuthorizationFailedError", "AuthorizationFailed")):
        return found
    try:
        for host, port in brokers(settings):
            encrypted = settings.kafka.protocol.endswith("ssl")
            probe(host, port, ssl_context(settings) if encrypted else None)
            asyncio.run(asyncio.wait_for(_log_in(settings, host, port), LOGIN_SECONDS))
    except Exception as step:  # noqa: BLE001  whatever the step raises is the cause
        certfile = settings.kafka.ssl_certfile
        return _about_certificate(explain(step, "kafka", group=group), "kafka", certfile)
    return found


def _about_certificate(found: Explained, server: Server, certfile: str) -> Explained:
    """Say more of "bad certificate", which Java says of one that is missing or expired as well."""
    if found != explain(ssl.SSLError("ALERT_BAD_CERTIFICATE"), server):
        return found
    if not certfile:
        return explain(ssl.SSLError("CERTIFICATE_REQUIRED"), server)
    pem = Path(certfile).read_text("ascii", "replace")
    expiry = expiry_of(ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT") :]))
    if expiry is not None and expiry.timestamp() < time.time():
        return explain(ssl.SSLError("ALERT_CERTIFICATE_EXPIRED"), server)
    return found


async def _log_in(settings: Settings, host: str, port: int) -> None:
    """Log in to a broker and ask it for topics. Raises KafkaError, or OSError."""
    from aiokafka.conn import create_conn
    from aiokafka.protocol.metadata import MetadataRequest

    kafka = settings.kafka
    connection = await create_conn(
        host, port,
        client_id=f"{settings.app}-check",
        request_timeout_ms=int(LOGIN_SECONDS * 1000),
        security_protocol=kafka.protocol.upper(),
        ssl_context=ssl_context(settings) if kafka.protocol.endswith("ssl") else None,
        sasl_mechanism=kafka.sasl_mechanism,
        sasl_plain_username=kafka.sasl_username,
        sasl_plain_password=kafka.sasl_password.reveal(),
    )  # fmt: skip
    try:
        # A listener with a login closes the connection of a client that does not log in.
        await connection.send(MetadataRequest([]))
    finally:
        connection.close()


def brokers(settings: Settings) -> list[tuple[str, int]]:
    """Return host and port of each broker of the settings."""
    parts = (part.strip().rpartition(":") for part in settings.kafka.bootstrap_servers.split(","))
    return [(host.strip("[]"), int(port)) for host, _, port in parts if port.isdecimal()]


def redis_trouble(settings: Settings, error: BaseException) -> Explained:
    """Return the cause of an error of a client of Redis."""
    try:
        context = redis_context(settings)
        if context is not None:
            probe(*redis_address(settings), context)
    except OSError as step:
        return explain(step, "redis")
    return explain(error, "redis")


def redis_address(settings: Settings) -> tuple[str, int]:
    """Return host and port of `redis.url`."""
    url = urlsplit(settings.redis.url)
    return url.hostname or "", url.port or REDIS_PORT


def redis_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the context of an encrypted connection; None if it is not encrypted. Raises OSError."""
    redis = settings.redis
    if not redis.url.startswith("rediss:"):
        return None
    context = ssl.create_default_context(cafile=redis.ssl_cafile or None)
    if redis.ssl_certfile:
        context.load_cert_chain(
            redis.ssl_certfile, redis.ssl_keyfile, redis.ssl_key_password.reveal()
        )
    return context
