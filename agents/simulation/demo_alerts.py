"""Prometheus of the demonstration, if one is installed: the shipped rules, 60 times as fast."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from agents.monitoring.rules.files import prometheus_files, write_files
from agents.monitoring.rules.pace import Pace
from agents.monitoring.rules.surroundings import Surroundings
from agents.simulation.servers import end_process, free_port
from stream.settings.application import Settings

#: An hour of the rules about the product passes in a minute.
SPEED = 60.0
STOP_SECONDS = 5.0
HOW_TO_GET_IT = (
    "no alerts: `prometheus` is not on the path (Debian: apt install prometheus); "
    "with it, the live page shows them"
)


def installed_prometheus() -> str | None:
    """Path of the machine's Prometheus, if any."""
    return shutil.which("prometheus")


class DemoPrometheus:
    """Runs Prometheus for the demonstration, on loopback and in its own directory."""

    def __init__(self, binary: str, settings: Settings, worker: str) -> None:
        self._binary = binary
        self._settings = settings
        self._worker = worker
        self._port = free_port()
        self._directory = tempfile.TemporaryDirectory(prefix="engage-prometheus-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of Prometheus."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        directory = Path(self._directory.name)
        place = Surroundings(targets=(self._worker,), alertmanager="", pace=Pace(SPEED))
        write_files(directory, prometheus_files(self._settings, place))
        with (directory / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self._binary,
                    f"--config.file={directory / 'prometheus.yml'}",
                    f"--storage.tsdb.path={directory / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C reaches only the demonstration, which ends its processes in order.
                start_new_session=True,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            end_process(process, STOP_SECONDS)
        self._directory.cleanup()
