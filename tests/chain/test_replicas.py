"""Every gauge read through the recording rules is true while a worker is killed and another joins."""

import shutil
import time
from pathlib import Path

import pytest
import yaml

from schemas.outputs import MetricRecord
from tests.alerting.promtool import ROOT
from tests.chain.replicas import BROKEN, SERVED, Truth, broken_rules, names
from tests.chain.servers import Prometheus
from tests.chain.snapshots import SnapshotLog, Visitors
from tests.faults.fleet import Fleet
from tests.faults.stored import wait_published
from tests.faults.worker_process import wait_until
from tests.integration.test_report_equals_stream import reported
from tests.servers.kafka_server import KafkaServer

DAY_MS, MARGIN_MS = 86_400_000, 600_000
DAILY = "site:engagement_daily_active_users:max"
#: Windows of whole days: all visitors are in the current one.
WINDOWS = ("day", "trailing_7d", "trailing_28d")
SETTINGS = {
    "DIMENSIONS": "country",
    "SESSION_TIMEOUT_SECONDS": "3",
    "TIME_ALLOWED_LATENESS_SECONDS": "1",
}


def start_ms() -> int:
    """Return now, or earlier if the visitors of a test would fall into two days."""
    now_ms = time.time_ns() // 1_000_000
    return now_ms - max(MARGIN_MS - (DAY_MS - now_ms % DAY_MS), 0)


def write_files(prometheus: Prometheus, ports: list[int]) -> None:
    """Write the shipped rules and configuration, for these workers and with short intervals."""
    shipped = ROOT / "deploy" / "prometheus"
    shutil.copytree(shipped / "rules", prometheus.rules)
    (prometheus.rules / "broken.yml").write_text(yaml.safe_dump(broken_rules()), "utf-8")
    config = yaml.safe_load((shipped / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (workers,) = config["scrape_configs"]
    del config["alerting"], workers["dns_sd_configs"]
    workers["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    (prometheus.directory / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")


@pytest.mark.parametrize("workers", [2, 3])
def test_recorded_values_of_all_workers_are_true_while_one_is_killed_and_one_joins(
    workers: int, kafka: KafkaServer, redis_url: str, prometheus: Prometheus, tmp_path: Path
) -> None:
    with Fleet(kafka.bootstrap, redis_url, tmp_path, workers=workers, settings=SETTINGS) as fleet:
        write_files(prometheus, [worker.port for worker in fleet.workers])
        fleet.create_topics().start()
        prometheus.start()
        visitors, log = Visitors(fleet, start_ms()), SnapshotLog(fleet, redis_url)
        with log:
            with visitors:
                killed, joined = kill_and_rejoin(fleet, prometheus, visitors)
            fleet.wait_counted()
            wait_published(fleet)
            people = len(visitors.records)
            wait_until("the rules show all people", lambda: prometheus.value(DAILY) == people)
            until = time.time()
            wait_until("a later snapshot is known", lambda: max(log.taken) > until * 1000)

        truth = Truth(prometheus, fleet.settings, log.taken, until)
        verdict = truth.judge(names(fleet.settings))
        assert verdict.wrong == []
        assert len(verdict.skipped) < len(verdict.moments) / 4, "snapshots were missed"
        during = [at for at in verdict.moments if killed < at < joined]
        assert len(during) >= 5, "hardly anything was evaluated while a worker was away"
        assert len([at for at in verdict.moments if at > joined]) >= 5
        assert verdict.values > 100 * len(verdict.moments), "hardly anything was compared"
        assert_never_more_than_sent(prometheus, visitors)
        assert_final(
            prometheus, reported(fleet.settings, (r.value or b"" for r in visitors.records))
        )

        mistaken = {f"{name}:broken": name for name in BROKEN}
        broken = truth.judge(mistaken)
        assert len(broken.wrong) > 10, "the same check takes a wrong rule for a right one"


def kill_and_rejoin(
    fleet: Fleet, prometheus: Prometheus, visitors: Visitors
) -> tuple[float, float]:
    """Kill the publishing worker, let the others continue, and let it rejoin; return both times."""

    def more(by: int) -> None:
        """Wait until the rules show `by` visitors more than have been sent now."""
        goal = len(visitors.records) + by
        wait_until("the rules follow", lambda: (prometheus.value(DAILY) or 0) >= goal)

    def of_victim(name: str) -> float:
        return prometheus.value(f'{name}{{instance="127.0.0.1:{victim.port}"}}') or 0

    more(100)
    victim = next(w for w in fleet.workers if any(p == 0 for _, p in w.partitions()))
    wait_until("all workers are scraped", lambda: prometheus.value("sum(up)") == len(fleet.workers))
    killed = time.time()
    victim.kill9()
    wait_until("Prometheus misses it", lambda: of_victim("up") == 0)
    # The others publish only after a takeover.
    more(200)
    joined = time.time()
    victim.start()
    wait_until("it has joined and serves what is published now", lambda: of_victim(SERVED) > joined)
    more(200)
    return killed, joined


def assert_never_more_than_sent(prometheus: Prometheus, visitors: Visitors) -> None:
    """Assert by the sender's count: as many people as pages, and never too many."""
    (daily,) = prometheus.query(f"{DAILY}[30m]")
    (pages,) = prometheus.query("site:engagement_page_views_total:max[30m]")
    for series in (daily, pages):
        assert all(float(value) <= visitors.by(at) for at, value in series["values"])
        assert float(series["values"][-1][1]) == len(visitors.records)


def assert_final(prometheus: Prometheus, reported_records: list[MetricRecord]) -> None:
    """Assert the numbers of `engage report` on the same events, for the windows that end with the day."""
    (day,) = {r.window for r in reported_records if r.metric == "daily_active_users" and r.value}
    expected = {
        (r.metric, r.window.kind): r.value
        for r in reported_records
        if r.window.kind in WINDOWS and r.window.end == day.end and not r.dimensions
    }
    compared = 0
    for metric, series in (
        ("daily_active_users", DAILY),
        ("weekly_active_users", "site:engagement_weekly_active_users:max"),
        ("monthly_active_users", "site:engagement_monthly_active_users:max"),
        ("unique_visitors", "site:engagement_unique_visitors:max"),
        ("sessions", "site:engagement_sessions:max"),
        ("page_views", "site:engagement_page_views:max"),
        ("bounce_rate", "site:engagement_bounce_ratio:max"),
        ("pages_per_session", "site:engagement_pages_per_session:max"),
    ):
        for found in prometheus.query(series):
            kinds = [k for m, k in expected if m == metric]
            kind = found["metric"].get("window") or (kinds[0] if len(kinds) == 1 else "")
            if (metric, kind) in expected:
                compared += 1
                assert float(found["value"][1]) == expected[metric, kind], (metric, kind)
    assert compared >= 8
