"""Findings about certificates: files that do not fit together, and what expires."""

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from agents.commands.findings import Finding
from agents.doctor.probe import expiry_of, probe
from agents.doctor.trouble import brokers, redis_address, redis_context
from stream.configure.connection_errors import Server, explain
from stream.kafka.tls import ssl_context
from stream.settings.application import Settings

WARN_DAYS = 30
_DAY_SECONDS = 86_400


def certificate_findings(settings: Settings) -> Iterator[Finding]:
    """Check the files of the settings, and the certificates that the servers show."""
    kafka, redis, web = settings.kafka, settings.redis, settings.web
    yield from _files("kafka.ssl_cafile", kafka.ssl_cafile)
    yield from _pair(
        "kafka", "kafka.ssl_certfile", kafka.ssl_certfile, kafka.ssl_keyfile,
        kafka.ssl_key_password.reveal(),
    )  # fmt: skip
    yield from _files("redis.ssl_cafile", redis.ssl_cafile)
    yield from _pair(
        "redis", "redis.ssl_certfile", redis.ssl_certfile, redis.ssl_keyfile,
        redis.ssl_key_password.reveal(),
    )  # fmt: skip
    yield from _pair("web", "web.tls_certfile", web.tls_certfile, web.tls_keyfile, "")
    yield from _servers(settings)


def _servers(settings: Settings) -> Iterator[Finding]:
    """Check what the servers show; the other checks say why one cannot be reached."""
    try:
        if settings.kafka.protocol.endswith("ssl"):
            for host, port in brokers(settings):
                yield from _expiry(f"certificate of kafka {host}:{port}",
                                   probe(host, port, ssl_context(settings)))  # fmt: skip
    except OSError:
        pass
    try:
        context = redis_context(settings)
        if context is not None:
            host, port = redis_address(settings)
            yield from _expiry(f"certificate of redis {host}:{port}", probe(host, port, context))
    except OSError:
        pass


def _pair(
    server: Server | str, key: str, certfile: str, keyfile: str, password: str
) -> Iterator[Finding]:
    if not certfile:
        return
    yield from _files(key, certfile)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certfile, keyfile or None, password)
    except OSError as error:
        if server == "web":
            yield Finding("error", key, f"cannot be used with web.tls_keyfile: {error}",
                          "give a pair that belongs together; the key must not be encrypted")  # fmt: skip
            return
        cause, mend = explain(error, "kafka" if server == "kafka" else "redis")
        yield Finding("error", key, cause, mend)


def _files(key: str, file: str) -> Iterator[Finding]:
    if not file:
        return
    try:
        text = Path(file).read_text("ascii", "replace")
    except OSError as error:
        yield Finding("error", key, f"{file} cannot be read: {error.strerror}",
                      "correct the path, or let the user of the worker read it")  # fmt: skip
        return
    parts = text.split("-----BEGIN CERTIFICATE-----")[1:]
    moments = [moment for part in parts if (moment := _expiry_of_pem(part)) is not None]
    if not moments:
        yield Finding("error", key, f"{file} holds no certificate in PEM", "correct the file")
        return
    yield from _expiry(key, min(moments))


def _expiry_of_pem(part: str) -> datetime | None:
    try:
        return expiry_of(ssl.PEM_cert_to_DER_cert(f"-----BEGIN CERTIFICATE-----{part.strip()}"))
    except ValueError:
        return None


def _expiry(subject: str, moment: datetime | None) -> Iterator[Finding]:
    if moment is None:
        return
    days = (moment - datetime.fromtimestamp(time.time(), UTC)).total_seconds() / _DAY_SECONDS
    day = f"{moment:%Y-%m-%d}"
    if days < 0:
        yield Finding("error", subject, f"expired on {day}", "renew it")
    elif days < WARN_DAYS:
        yield Finding("warning", subject, f"expires on {day}, in {days:.0f} days", "renew it")
    else:
        yield Finding("ok", subject, f"valid until {day}")
