"""A wave of bounces: the shipped alert is pending, firing and resolved on every surface.

What is usual comes from prepared samples. So only the incident itself takes time.
"""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.alerting.servers import AlertmanagerServer
from tests.browser.chromium import Watched, chromium, tab
from tests.chain.prepared import shares, store
from tests.chain.servers import Notice, Prometheus, Webhook
from tests.chain.shipped import assert_shipped
from tests.chain.simulator import simulated
from tests.conftest import missing
from tests.faults.fleet import Fleet
from tests.faults.worker_process import TimedOut, wait_until
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerMissing

ALERT = "EngagementBounceSpike"
#: One hour of the rules is a minute: 10 min of waiting are 10 s, the newest 15 min are 15 s.
SPEED = "60"
#: Active visitors send an event every 10 s; a visitor without one has left after this time.
SESSION_SECONDS = "12"
RATIO = "site:engagement_bounced_sessions_per_viewed_session"
#: Usual share of bounces of `engage simulate`, and that of its spike.
USUAL, BAD = 0.38, 0.85
#: Series that the alert compares.
JUDGED = tuple(f"{RATIO}:{part}" for part in ("ratio_increase15m", "baseline", "deviation"))
PATIENCE = 240.0
#: Records each state of the alert that the page shows, however briefly.
WATCH_ALERT = """name => {
  window.seen = [];
  const look = () => {
    const item = [...document.querySelectorAll("#alerts li")].find(li => li.innerText.includes(name));
    const state = item?.innerText.match(/pending|firing|resolved/)?.[0];
    if (state && window.seen.at(-1) !== state) window.seen.push(state);
  };
  new MutationObserver(look).observe(document.getElementById("alerts"), { childList: true });
}"""


@pytest.fixture
def fleet(kafka: KafkaServer, redis_url: str, prometheus: Prometheus, tmp_path: Path) -> Fleet:
    settings = {
        "SESSION_TIMEOUT_SECONDS": SESSION_SECONDS,
        "TIME_ALLOWED_LATENESS_SECONDS": "1",
        "WEB_PROMETHEUS_URL": prometheus.url,
    }
    return Fleet(kafka.bootstrap, redis_url, tmp_path, settings=settings)


def write_files(
    fleet: Fleet, prometheus: Prometheus, alertmanager: AlertmanagerServer, webhook: Webhook
) -> None:
    """Export the files as for the rehearsal of an alert."""
    targets = [w for worker in fleet.workers for w in ("--target", f"127.0.0.1:{worker.port}")]
    fleet.command(
        "export", "prometheus", "--out", str(prometheus.directory), "--speed", SPEED, *targets,
        "--alertmanager", f"127.0.0.1:{alertmanager.port}",
    )  # fmt: skip
    hooks = [
        w for name in ("product", "oncall") for w in ("--webhook", f"{name}={webhook.url(name)}")
    ]
    fleet.command(
        "export", "alertmanager", "--out", str(alertmanager.directory), "--speed", SPEED, *hooks
    )


def test_a_bounce_spike_is_pending_firing_and_resolved_in_prometheus_webhook_and_page(
    fleet: Fleet, prometheus: Prometheus, alertmanager: AlertmanagerServer, webhook: Webhook
) -> None:
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(chromium())
        except ServerMissing as error:
            missing(error)
        stack.enter_context(fleet)
        write_files(fleet, prometheus, alertmanager, webhook)
        assert_shipped(prometheus.rules, "families.yml", "product.yml")
        fleet.create_topics().start()
        past = f'{JUDGED[0]}{{job="engagement",site="default"}}'
        store(prometheus, shares(past, USUAL, BAD, time.time(), float(SPEED)))
        alertmanager.start()
        prometheus.start()
        url = f"http://127.0.0.1:{fleet.workers[0].port}/live"
        page = stack.enter_context(tab(browser, url))
        page.page.evaluate(WATCH_ALERT, ALERT)
        stack.enter_context(simulated(fleet, "usual", "--rate", "60"))
        wait_until(
            "Prometheus has the series that the alert compares",
            lambda: all(prometheus.value(name) is not None for name in JUDGED),
            PATIENCE,
        )
        assert webhook.notices_of(ALERT) == [], "it fires without a reason"
        with simulated(fleet, "spike", "--rate", "300", "--spike", "bounce", "--spike-after", "0"):
            try:
                wait_until(
                    "the webhook receives the firing alert",
                    lambda: bool(webhook.notices_of(ALERT)),
                    PATIENCE,
                )
            except TimedOut:
                pytest.fail("\n".join(prometheus.course(name) for name in JUDGED))
        wait_until(
            "the webhook receives the resolved alert",
            lambda: webhook.notices_of(ALERT)[-1].status == "resolved",
            PATIENCE,
        )
        assert_states(prometheus, webhook.notices_of(ALERT))
        assert_seen(page)


def assert_states(prometheus: Prometheus, notices: list[Notice]) -> None:
    """Assert the order of states in Prometheus and in the notices."""
    states = prometheus.states(ALERT)
    # It may be pending before and after without firing: at first few sessions are closed.
    fired = states.index("firing")
    assert states[fired - 1] == "pending"
    assert fired + 1 < len(states), "it still fires"
    assert {notice.receiver for notice in notices} == {"product"}
    statuses = [notice.status for notice in notices]
    assert sorted(set(statuses), key=statuses.index) == ["firing", "resolved"]
    first = notices[0]
    expected = {"severity": "warning", "signal": "bounce", "site": "default", "job": "engagement"}
    assert expected.items() <= first.labels.items()
    assert "of the sessions of the last 15 minutes bounced" in first.annotations["description"]
    # Neither the bad week before nor the first samples have moved what is usual.
    (highest,) = prometheus.query(f"max_over_time({RATIO}:baseline[10m])")
    assert float(highest["value"][1]) == pytest.approx(USUAL, abs=0.05)


def assert_seen(page: Watched) -> None:
    """Assert the states on the live page."""
    # Other alerts may be resolved too, such as those of the start.
    page.page.wait_for_function("() => window.seen.at(-1) === 'resolved'", timeout=60_000)
    seen = page.page.evaluate("window.seen")
    assert seen[seen.index("firing") - 1] == "pending"
    assert page.errors == []
