"""Address of this machine's worker, from the settings."""

import ssl
from typing import NamedTuple

from stream.settings.application import Settings

# A server that listens on every address is reached on this one.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  reads it, binds nothing


class OwnWorker(NamedTuple):
    """Address of the pages, and the TLS context to request them with; None without TLS."""

    host: str
    port: int
    context: ssl.SSLContext | None

    @property
    def url(self) -> str:
        """The address as the beginning of a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.context else 'http'}://{host}:{self.port}"


def own_worker(settings: Settings) -> OwnWorker:
    """Find the pages of this machine's worker."""
    web = settings.web
    host = _LOOPBACK.get(web.host, web.host)
    if not web.tls_certfile:
        return OwnWorker(host, web.port, None)
    # The certificate names the public address, not this one: a check of it would always fail.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return OwnWorker(host, web.port, context)
