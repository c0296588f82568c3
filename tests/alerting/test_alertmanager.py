"""The shipped routes on the real amtool, and inhibition on a real Alertmanager."""

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from agents.monitoring.rules.routing import RECEIVERS
from agents.monitoring.rules.rule import PRODUCT_SIGNALS
from tests.alerting.promtool import ROOT, alerts, run, tool
from tests.alerting.servers import AlertmanagerServer

CONFIG = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
_SETTLE_SECONDS = 20.0


class Alertmanager(AlertmanagerServer):
    """Alertmanager with the shipped configuration, asked as Prometheus and people do."""

    def raise_alerts(self, *labels: dict[str, str]) -> None:
        """Send these alerts, as Prometheus would."""
        self._call(json.dumps([{"labels": each} for each in labels]).encode())

    def muted(self) -> dict[str, bool]:
        """Return whether another alert mutes it, for each known alert by name."""
        return {
            alert["labels"]["alertname"]: bool(alert["status"]["inhibitedBy"])
            for alert in json.loads(self._call(None))
        }

    def _call(self, body: bytes | None) -> bytes:
        url = f"http://127.0.0.1:{self.port}/api/v2/alerts"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()


@pytest.fixture
def alertmanager() -> Iterator[Alertmanager]:
    with Alertmanager(CONFIG) as server:
        yield server


def labels_of(name: str, **more: str) -> dict[str, str]:
    """Return the labels of an alert on arrival."""
    return {"alertname": name, **alerts()[name]["labels"], **more}


def receivers(labels: dict[str, str]) -> list[str]:
    """Return the receivers of an alert, from amtool."""
    pairs = [f"{name}={value}" for name, value in labels.items()]
    done = run(
        tool("amtool"), "config", "routes", "test", f"--config.file={CONFIG}", *pairs
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    # The lines before it are warnings about the machine's own configuration of amtool.
    return done.stdout.strip().splitlines()[-1].split(",")


def test_amtool_accepts_the_configuration() -> None:
    done = run(tool("amtool"), "check-config", str(CONFIG))
    assert done.returncode == 0, done.stdout
    assert f"{len(RECEIVERS)} receivers" in done.stdout


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("EngagementBounceSpike", ["product"]),
        ("EngagementChurnSpike", ["product"]),
        ("EngagementNpsFall", ["product"]),
        ("EngagementConversionDrop", ["oncall", "product"]),
        ("EngagementLiveVisitorsDrop", ["oncall", "product"]),
        ("EngagementExporterAbsent", ["oncall", "operations"]),
        ("EngagementSnapshotStale", ["oncall", "operations"]),
        ("EngagementRedisMemory", ["oncall", "operations"]),
        ("EngagementLedgerShare", ["operations"]),
        ("EngagementRebuildRunning", ["operations"]),
        ("EngagementWatchdog", ["deadman"]),
    ],
)
def test_an_alert_reaches_the_people_who_can_fix_it(name: str, to: list[str]) -> None:
    assert receivers(labels_of(name, job="engagement", site="shop")) == to


@pytest.mark.parametrize("name", alerts())
def test_every_alert_is_routed_by_its_signal_and_pages_only_when_critical(
    name: str,
) -> None:
    labels = labels_of(name, job="engagement")
    to = receivers(labels)
    assert ("oncall" in to) == (labels["severity"] == "critical")
    assert ("product" in to) == (labels["signal"] in PRODUCT_SIGNALS)
    assert ("deadman" in to) == (labels["signal"] == "watchdog")


def test_foreign_alerts_go_to_operations() -> None:
    assert receivers({"alertname": "DiskFull", "severity": "warning"}) == ["operations"]


def test_the_watchdog_is_repeated_every_minute_without_waiting() -> None:
    routes = yaml.safe_load(CONFIG.read_text("utf-8"))["route"]["routes"]
    (watchdog,) = (route for route in routes if route["receiver"] == "deadman")
    assert (watchdog["group_wait"], watchdog["repeat_interval"]) == ("0s", "1m")


def mutes() -> list[Any]:
    here = {"job": "engagement"}
    bounce = labels_of("EngagementBounceSpike", site="shop", **here)
    lag = labels_of("EngagementConsumerLagGrowing", topic="clicks", **here)
    watchdog = labels_of("EngagementWatchdog")
    absent = labels_of("EngagementExporterAbsent", **here)
    stale = labels_of("EngagementSnapshotStale", **here)
    rebuild = labels_of("EngagementRebuildRunning", **here)
    foreign = {"alertname": "DiskFull", "severity": "warning"}
    elsewhere = labels_of("EngagementBounceSpike", site="shop", job="other")
    return [
        pytest.param(absent, [bounce, lag, stale], [watchdog, foreign], id="no worker"),
        pytest.param(stale, [bounce], [lag, watchdog, foreign], id="old numbers"),
        pytest.param(rebuild, [bounce], [lag, watchdog, foreign], id="incomplete numbers"),
        pytest.param(absent, [], [elsewhere, foreign], id="of another job"),
        pytest.param(
            labels_of("EngagementSnapshotStale"),
            [],
            [labels_of("EngagementBounceSpike", site="shop")],
            id="a source without a job mutes nothing that lacks one too",
        ),
    ]


@pytest.mark.parametrize(("cause", "muted", "heard"), mutes())
def test_a_cause_mutes_its_consequences_and_nothing_else(
    alertmanager: Alertmanager,
    cause: dict[str, str],
    muted: list[dict[str, str]],
    heard: list[dict[str, str]],
) -> None:
    alertmanager.raise_alerts(cause, *muted, *heard)
    wanted = {each["alertname"]: True for each in muted}
    wanted |= {each["alertname"]: False for each in (cause, *heard)}
    until = time.monotonic() + _SETTLE_SECONDS
    while (found := alertmanager.muted()) != wanted and time.monotonic() < until:
        time.sleep(0.1)
    assert found == wanted


def test_nothing_is_sent_until_a_receiver_is_configured() -> None:
    for receiver in yaml.safe_load(CONFIG.read_text("utf-8"))["receivers"]:
        assert {*receiver} == {"name"}
