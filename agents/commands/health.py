"""`engage health`: asks the worker of this machine whether it is alive; for images without curl."""

import http.client
import sys

from agents.commands.own_worker import OwnWorker, own_worker
from stream.settings.application import Settings

TIMEOUT_SECONDS = 3.0


def run_health(settings: Settings) -> int:
    """Request /healthz: 0 if it answers with 200, else 1 and the reason on standard error."""
    worker = own_worker(settings)
    where = f"{worker.url}/healthz"
    connection = _connection(worker)
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


def _connection(worker: OwnWorker) -> http.client.HTTPConnection:
    if worker.context is None:
        return http.client.HTTPConnection(worker.host, worker.port, timeout=TIMEOUT_SECONDS)
    return http.client.HTTPSConnection(
        worker.host, worker.port, timeout=TIMEOUT_SECONDS, context=worker.context
    )
