"""Prometheus with files of `engage export`, and the receivers of notifications."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.alerting.servers import PrometheusServer


class Notice(NamedTuple):
    """One alert of one notification: its receiver, time and content."""

    receiver: str
    at: float
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


class Webhook:
    """Receiver of Alertmanager's notifications, with an address for each receiver name."""

    def __init__(self) -> None:
        notices: list[Notice] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                notices.extend(
                    Notice(
                        body["receiver"], time.time(), a["status"], a["labels"], a["annotations"]
                    )
                    for a in body["alerts"]
                )
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.notices = notices
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def url(self, receiver: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{receiver}"

    def notices_of(self, alert: str) -> list[Notice]:
        """Return all notices about one alert, in order."""
        return [notice for notice in self.notices if notice.labels["alertname"] == alert]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class Prometheus(PrometheusServer):
    """Prometheus with rules, which sends their alerts to an Alertmanager."""

    @property
    def rules(self) -> Path:
        return self.directory / "rules"

    def command(self) -> list[str]:
        # The first notification is lost if the Alertmanager is still unknown.
        return [*super().command(), "--rules.alert.resend-delay=2s"]

    def value(self, expression: str) -> float | None:
        """Return the current value of an expression; None without a value."""
        found = self.query(expression)
        assert len(found) < 2, f"{expression} has {len(found)} values"
        return float(found[0]["value"][1]) if found else None

    def course(self, name: str) -> str:
        """Return a series as text, one moment a line, to explain a failure."""
        return "\n".join(
            f"{name} {float(at):.0f} {float(value):.4g}"
            for series in self.query(f"{name}[15m]")
            for at, value in series["values"]
        )

    def states(self, alert: str) -> list[str]:
        """Return the states of an alert in order; `inactive` if it has none now."""
        found = self.query(f'ALERTS{{alertname="{alert}"}}[1h]')
        moments = sorted(
            (float(at), series["metric"]["alertstate"])
            for series in found
            for at, _ in series["values"]
        )
        states = [state for _, state in moments]
        if moments and not self.query(f'ALERTS{{alertname="{alert}"}}'):
            states.append("inactive")
        return [s for i, s in enumerate(states) if i == 0 or states[i - 1] != s]
