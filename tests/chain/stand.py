"""A fleet under watch: the shipped pipeline alerts on a real Prometheus, to a real Alertmanager and webhook."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from agents.monitoring.rules.files import prometheus_files
from agents.monitoring.rules.pace import Pace
from agents.monitoring.rules.rule_file import HEADING_PREFIX, as_document, pipeline_groups
from agents.monitoring.rules.surroundings import Surroundings
from agents.monitoring.rules.yaml_text import as_yaml
from tests.alerting.servers import AlertmanagerServer
from tests.chain.servers import Notice, Prometheus, Webhook
from tests.faults.fleet import Fleet
from tests.faults.worker_process import TimedOut, wait_until

#: An hour of the rules is a minute: 15 min of waiting are 15 s.
SPEED = 60
PATIENCE = 120.0
SCRAPE = "3s"
RECEIVERS = ("operations", "oncall", "deadman")


class Stand:
    """Prometheus, Alertmanager and webhook beside a fleet; faults are made by the test."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._stack = ExitStack()
        self.prometheus = Prometheus()
        self.alertmanager = AlertmanagerServer()
        self.webhook = Webhook()

    def __enter__(self) -> Self:
        self._stack.callback(self.prometheus.close)
        self._stack.callback(self.alertmanager.close)
        self._stack.enter_context(self.webhook)
        self._write_files()
        self.alertmanager.start()
        self.prometheus.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _write_files(self) -> None:
        """Write the exported files, with rules about the pipeline that are as quick as the others."""
        fleet, pace = self._fleet, Pace(SPEED)
        place = Surroundings(
            targets=tuple(f"127.0.0.1:{worker.port}" for worker in fleet.workers),
            alertmanager=f"127.0.0.1:{self.alertmanager.port}",
            pace=pace,
        )
        files = prometheus_files(fleet.settings, place)
        pipeline = as_document(pipeline_groups(fleet.settings, place, pace), place)
        files |= {"rules/pipeline.yml": as_yaml(pipeline, "Quick rules about the pipeline.")}
        config = yaml.safe_load(files["prometheus.yml"])
        # On a busy machine an answer can take more than a second, and a missed one ends a wait.
        config["global"] |= {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE}
        files["prometheus.yml"] = yaml.safe_dump(config)
        for name, text in files.items():
            _write(self.prometheus.directory / name, text)
        hooks = [w for name in RECEIVERS for w in ("--webhook", f"{name}={self.webhook.url(name)}")]
        fleet.command(
            "export", "alertmanager", "--out", str(self.alertmanager.directory),
            "--speed", str(SPEED), *hooks,
        )  # fmt: skip

    def last(self, alert: str, **labels: str) -> Notice | None:
        """Return the newest notice of an alert with these labels."""
        found = self.webhook.notices_of(HEADING_PREFIX + alert)
        return next((n for n in reversed(found) if labels.items() <= n.labels.items()), None)

    def wait_quiet(self, *alerts: str) -> None:
        """Wait until none of these alerts is pending or firing: a start can raise some."""
        named = "|".join(HEADING_PREFIX + alert for alert in alerts)
        rule = f'ALERTS{{alertname=~"{named}"}}'
        wait_until(f"{named} is quiet", lambda: not self.prometheus.query(rule), PATIENCE)

    def wait_firing(self, alert: str, **labels: str) -> None:
        """Wait until the webhook hears that the alert fires."""
        self._wait(alert, "firing", labels)

    def wait_resolved(self, alert: str, **labels: str) -> None:
        """Wait until the webhook hears that the alert, which it knows, is over."""
        assert self.last(alert, **labels), f"{alert} {labels} has not fired"
        self._wait(alert, "resolved", labels)

    def _wait(self, alert: str, status: str, labels: dict[str, str]) -> None:
        def heard() -> bool:
            notice = self.last(alert, **labels)
            return notice is not None and notice.status == status

        try:
            wait_until(f"the webhook hears that {alert} {labels} is {status}", heard, PATIENCE)
        except TimedOut as error:
            raise TimedOut(f"{error}\n{self._seen()}") from None

    def _seen(self) -> str:
        """Return what was seen, to explain a failure."""
        alerts = [series["metric"] for series in self.prometheus.query("ALERTS")]
        reasons = [s["metric"] for s in self.prometheus.query("engagement_stale > 0")]
        heard = [(n.labels["alertname"], n.status) for n in self.webhook.notices[-10:]]
        logs = "\n".join(
            f"{w.name} {w.ready()}\n{w.log_tail()[-1500:]}" for w in self._fleet.workers
        )
        lag = [s["value"] for s in self.prometheus.query("topic:engagement_worker_lag_records:sum")]
        up = [s["value"] for s in self.prometheus.query("avg_over_time(up[1m])")]
        return f"up: {up}\nlag: {lag}\nalerts now: {alerts}\nreasons now: {reasons}\nheard: {heard}\n{logs}"


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
