"""The Kafka connection as aiokafka and Faust want it, from one place in the settings."""

import ssl
from typing import Any

from faust.auth import SASLCredentials, SSLCredentials

from stream.settings.application import Settings


def aiokafka_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments that every aiokafka client takes."""
    kafka = settings.kafka
    options: dict[str, Any] = {
        "bootstrap_servers": bootstrap_servers(settings),
        "security_protocol": kafka.protocol.upper(),
        "client_id": settings.app,
    }
    if kafka.protocol.endswith("ssl"):
        options["ssl_context"] = ssl_context(settings)
    if kafka.protocol.startswith("sasl"):
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_username
        options["sasl_plain_password"] = kafka.sasl_password.reveal()
    return options


def faust_credentials(settings: Settings) -> SASLCredentials | SSLCredentials | None:
    """What Faust authenticates with; None for plaintext."""
    kafka = settings.kafka
    context = ssl_context(settings) if kafka.protocol.endswith("ssl") else None
    if kafka.protocol.startswith("sasl"):
        return SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.reveal(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    # Without a context of our own, Faust's SSLCredentials raise a TypeError.
    return SSLCredentials(context=context) if context else None


def bootstrap_servers(settings: Settings) -> list[str]:
    """Addresses as host:port."""
    return [part.strip() for part in settings.kafka.bootstrap_servers.split(",") if part.strip()]


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """Verifies the broker; shows this client's certificate where one is configured."""
    kafka = settings.kafka
    context = ssl.create_default_context(cafile=kafka.ssl_cafile or None)
    if kafka.ssl_certfile:
        context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile or None)
    return context
