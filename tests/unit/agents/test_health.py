"""`engage health` reports whether the worker of this machine answers, over http and https."""

import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agents.cli.main import main
from tests.conftest import missing
from tests.servers.process import ServerMissing


class Pages(http.server.BaseHTTPRequestHandler):
    """Answer /healthz as the worker does, and 404 elsewhere."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == self.server.healthy else 404)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test output free of access logs."""


@contextmanager
def serving(healthy: str = "/healthz", context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Yield the port of a server on loopback."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Pages)
    server.healthy = healthy  # type: ignore[attr-defined]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def health(port: int, **environ: str) -> Result:
    return CliRunner().invoke(main, ["health"], env={"ENGAGE_WEB_PORT": str(port), **environ})


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_worker_that_answers_is_healthy_wherever_it_listens(host: str) -> None:
    with serving() as port:
        result = health(port, ENGAGE_WEB_HOST=host)
    assert (result.exit_code, result.output) == (0, "")


def test_a_worker_that_has_stopped_is_not_healthy() -> None:
    with serving() as port:
        pass
    result = health(port)
    assert result.exit_code == 1
    assert f"http://127.0.0.1:{port}/healthz does not answer" in result.output


def test_another_server_on_the_port_is_not_healthy() -> None:
    with serving(healthy="/elsewhere") as port:
        result = health(port)
    assert result.exit_code == 1
    assert "answers 404" in result.output


def test_over_tls_the_certificate_may_name_another_address(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        missing(ServerMissing("openssl is not on the path: install it to make a certificate"))
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ("openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=metrics")
    subprocess.run(
        [*made, "-keyout", key, "-out", cert], check=True, capture_output=True, timeout=60
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with serving(context=context) as port:
        files = {"ENGAGE_WEB_TLS_CERTFILE": str(cert), "ENGAGE_WEB_TLS_KEYFILE": str(key)}
        assert health(port, **files).exit_code == 0
