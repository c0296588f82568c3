"""Why a worker cannot serve its pages."""

import errno
import http.client
import ssl
import urllib.request

from agents.commands.own_worker import own_worker
from stream.settings.application import Settings

_ASK_SECONDS = 2.0


def pages_trouble(settings: Settings, error: OSError) -> str:
    """Return why the pages cannot be served, and what to do."""
    web = settings.web
    where = f"port {web.port} of {web.host} (web.port)"
    if isinstance(error, ssl.SSLError):
        return (
            f"web.tls_certfile and web.tls_keyfile cannot be used ({error}); give a pair that belongs "
            "together, with a key that is not encrypted"
        )
    if error.errno == errno.EADDRINUSE:
        who = "another worker" if _is_worker(settings) else "another program"
        return (
            f"{where} is in use by {who}; set web.port to a free one (ENGAGE_WEB_PORT), or stop it: "
            f"ss -ltnp 'sport = :{web.port}' names it"
        )
    if error.errno == errno.EACCES:
        return f"{where} needs more rights; set web.port to 1024 or more"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{web.host} is no address of this machine; correct web.host"
    return f"{where} cannot be listened on ({error}); correct web.host and web.port"


def _is_worker(settings: Settings) -> bool:
    """Whether what listens there answers as a worker does."""
    worker = own_worker(settings)
    # It may speak https whatever our settings say.
    for url in (worker.url, worker.url.replace("http:", "https:", 1)):
        context = worker.context
        if url.startswith("https") and context is None:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            page = f"{url}/healthz"
            with urllib.request.urlopen(page, timeout=_ASK_SECONDS, context=context) as answer:  # noqa: S310
                return b'"status"' in answer.read(1000)
        except (OSError, http.client.HTTPException):
            continue
    return False
