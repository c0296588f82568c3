"""`engage health`: asks the worker beside it whether it is alive; for images that have no curl."""

import http.client
import ssl
import sys

from stream.settings.application import Settings

TIMEOUT_SECONDS = 3.0
# A server that listens on every address is found on this one.
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  reads it, binds nothing


def run_health(settings: Settings) -> int:
    """0 when /healthz answers with 200, else 1 and why."""
    web = settings.web
    host = LOOPBACK.get(web.host, web.host)
    where = f"{'https' if web.tls_certfile else 'http'}://{host}:{web.port}/healthz"
    connection = _connection(host, web.port, bool(web.tls_certfile))
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        print(f"engage: {where} does not answer ({reason}); is the worker up?", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if status != 200:
        print(f"engage: {where} answers {status}; is it the worker's port?", file=sys.stderr)
    return 0 if status == 200 else 1


def _connection(host: str, port: int, is_tls: bool) -> http.client.HTTPConnection:
    if not is_tls:
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    # Its certificate names the outside, not this address; who it is, is not the question here.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)
