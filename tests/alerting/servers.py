"""Debian's Prometheus and Alertmanager as child processes, on loopback only."""

import json
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.alerting.promtool import tool
from tests.servers.process import ServerProcess, ask


class AlertmanagerServer(ServerProcess):
    """Alertmanager with `config`, or with the alertmanager.yml in its directory."""

    def __init__(self, config: Path | None = None) -> None:
        super().__init__("alertmanager")
        self._binary = tool("prometheus-alertmanager", "alertmanager")
        self._config = config or self.directory / "alertmanager.yml"

    def command(self) -> list[str]:
        return [
            self._binary,
            f"--config.file={self._config}",
            f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]

    def answers(self) -> bool:
        return b"200 OK" in ask(self.port, b"GET /-/ready HTTP/1.0\r\n\r\n", size=64)


class PrometheusServer(ServerProcess):
    """Prometheus with the prometheus.yml in its directory."""

    def __init__(self) -> None:
        super().__init__("prometheus")
        self._binary = tool("prometheus")

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [
            self._binary,
            f"--config.file={self.directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.data}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
        ]

    def answers(self) -> bool:
        return b" 200 " in ask(self.port, b"GET /-/ready HTTP/1.0\r\n\r\n", size=32)

    def query(self, expression: str, **times: str) -> list[dict[str, Any]]:
        """Return the series of an answer: at one `time`, or in steps from `start` to `end`."""
        kind = "query_range" if "start" in times else "query"
        body = urllib.parse.urlencode({"query": expression} | times).encode()
        with urllib.request.urlopen(f"{self.url}/api/v1/{kind}", body, timeout=30) as answer:
            return list(json.load(answer)["data"]["result"])
