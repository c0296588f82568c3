"""The services of compose.yaml work together: topics, two workers and traffic, on Kafka and Redis."""

import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.deploy.compose import services
from tests.deploy.image import command_line, stages
from tests.deploy.processes import Chain, ComposeKafka, ComposeRedis
from tests.servers.process import ServerMissing, free_port

READY_SECONDS = 150.0
METRIC = 'engagement_page_views_total{site="default"}'


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    try:
        kafka, redis = ComposeKafka(), ComposeRedis()
    except ServerMissing as error:
        missing(error)
    with kafka, redis:
        yield Chain(kafka, redis, tmp_path)


def page(port: int, path: str) -> str:
    """Return the page; empty while it is not served or not ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except (OSError, urllib.error.HTTPError):
        return ""


def shown(port: int) -> tuple[float, float]:
    """Return (time of the page's snapshot, page views in it)."""
    text = page(port, "/metrics")
    return sample(text, "engagement_snapshot_timestamp_seconds"), sample(text, METRIC)


def test_two_workers_show_the_numbers_of_the_simulated_traffic(chain: Chain) -> None:
    created = chain.start("topics")
    assert created.wait(60) == 0, chain.logs()
    assert chain.start("topics").wait(60) == 0, "it must be possible to run it again"
    with ExitStack() as stack:
        ports = [free_port() for _ in range(services()["worker"]["deploy"]["replicas"])]
        workers = [chain.start("worker", port) for port in ports]
        simulator = chain.start("simulator")
        for process in (*workers, simulator):
            stack.callback(process.kill)
        deadline = time.monotonic() + READY_SECONDS
        while not all(page(port, "/readyz") and views(port) > 5_000 for port in ports):
            found = [(views(port), page(port, "/readyz")) for port in ports]
            assert time.monotonic() < deadline, f"{found}\n{chain.logs()}"
            time.sleep(0.5)
        # At one moment each worker has the newest snapshot or the one before.
        while len({shown(port) for port in ports}) > 1:
            answers = [shown(port) for port in ports]
            assert time.monotonic() < deadline, f"never the same numbers: {answers}"
        check = command_line(stages()[-1], "HEALTHCHECK")[1:]
        assert all(chain.start("worker", port, *check).wait(20) == 0 for port in ports)
        for process in (simulator, *workers):
            process.send_signal(signal.SIGTERM)
        limit = float(services()["worker"]["stop_grace_period"].removesuffix("s"))
        for process in (simulator, *workers):
            assert process.wait(limit) == 0, chain.logs()
        assert chain.start("worker", ports[0], *check).wait(20) == 1


def views(port: int) -> float:
    return shown(port)[1]


def sample(text: str, series: str) -> float:
    """Return the value of a series on a page; 0 if missing."""
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(series))
