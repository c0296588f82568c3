"""Turns `[kafka]` of the settings into the options of aiokafka and Faust."""

from functools import partial
from typing import Any

import aiokafka.client
from aiokafka.protocol.metadata import MetadataRequest
from faust.auth import SASLCredentials, SSLCredentials

from stream.kafka.tls import ssl_context
from stream.settings.application import Settings


def aiokafka_options(settings: Settings) -> dict[str, Any]:
    """Return the keyword arguments that every aiokafka client takes."""
    forbid_topic_creation()
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


def forbid_topic_creation() -> None:
    """Make the clients of aiokafka ask for topics without creating them.

    A broker that creates topics would give them its own partition count, retention and time stamps.
    """
    aiokafka.client.MetadataRequest = partial(MetadataRequest, allow_auto_topic_creation=False)


def faust_credentials(settings: Settings) -> SASLCredentials | SSLCredentials | None:
    """Return the credentials for Faust; None for plaintext."""
    kafka = settings.kafka
    context = ssl_context(settings) if kafka.protocol.endswith("ssl") else None
    if kafka.protocol.startswith("sasl"):
        return SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.reveal(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    # Faust's SSLCredentials raise a TypeError if they get no context.
    return SSLCredentials(context=context) if context else None


def bootstrap_servers(settings: Settings) -> list[str]:
    """Return the broker addresses as host:port."""
    return [part.strip() for part in settings.kafka.bootstrap_servers.split(",") if part.strip()]
