"""The encryption of the connection to Kafka, for every client."""

import ssl

from stream.settings.application import Settings


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """Return a context that verifies the broker and presents the configured client certificate."""
    kafka = settings.kafka
    context = ssl.create_default_context(cafile=kafka.ssl_cafile or None)
    if kafka.ssl_certfile:
        # Always with a password: without one, OpenSSL asks for it on the terminal.
        password = kafka.ssl_key_password.reveal()
        context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile or None, password)
    return context
