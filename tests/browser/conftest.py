"""A real worker with a steady flow of visitors, a Prometheus, and a browser: one of each for all tests."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import Watched, chromium, tab
from tests.browser.prometheus import Prometheus
from tests.conftest import missing
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.worker_process import WorkerProcess
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerMissing
from tests.servers.redis_server import RedisServer

MARKUP = "<img src=x onerror=document.title='hacked'>"
SCRIPT = "<script>document.title='hacked'</script>\u202e\u0000é"
PAUSE_SECONDS = 0.1


class Visitors:
    """Ten new visitors a second with one page each, and with names that look like markup."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            number += 1
            self._fleet.produce([self._view(number), self._broken(number)])

    def _view(self, number: int) -> Record:
        event = {
            "type": "page_view", "page_url": f"/{MARKUP}", "event_id": f"e{number}",
            "event_time": time.time_ns() // 1_000_000, "visitor_id": f"v{number}",
            "context": {"country": SCRIPT, "campaign": MARKUP},
            "site": "blog" if number % 5 == 0 else "default",
        }  # fmt: skip
        return Record("page_views", number % PARTITIONS, b"key", json.dumps(event).encode())

    def _broken(self, number: int) -> Record:
        """Return a view with a lone surrogate, which JSON can spell and UTF-8 cannot."""
        raw = self._view(number).value
        assert raw is not None
        return Record(
            "page_views", number % PARTITIONS, b"key", raw.replace(b'"/<img', b'"/\\ud800<img')
        )


@pytest.fixture(scope="module")
def prometheus() -> Iterator[Prometheus]:
    try:
        server = Prometheus()
    except ServerMissing as error:
        missing(error)
    yield server
    server.close()


@pytest.fixture(scope="module")
def fleet(
    kafka: KafkaServer,
    redis_server: RedisServer,
    prometheus: Prometheus,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleet]:
    """One worker, and visitors."""
    settings = {
        "DIMENSIONS": "country,campaign",
        "PUBLISH_CUT_SECONDS": "0.3",
        "WEB_PROMETHEUS_URL": prometheus.url,
    }
    directory: Path = tmp_path_factory.mktemp("live")
    with Fleet(kafka.bootstrap, redis_server.url, directory, workers=1, settings=settings) as fleet:
        prometheus.scrape(f"127.0.0.1:{fleet.workers[0].port}")
        prometheus.start()
        fleet.create_topics().start()
        with Visitors(fleet):
            yield fleet


@pytest.fixture(scope="module")
def worker(fleet: Fleet) -> WorkerProcess:
    return fleet.workers[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as browser:
            yield browser
    except ServerMissing as error:
        missing(error)


@pytest.fixture(scope="module")
def opened(browser: Browser, worker: WorkerProcess) -> Iterator[Watched]:
    """The page, with its first numbers."""
    with tab(browser, f"http://127.0.0.1:{worker.port}/live") as watched:
        watched.wait_for_text("#badge", "live", 40)
        watched.page.wait_for_function(
            "() => /^[1-9]/.test(document.querySelector('#number-live_visitors .value')?.innerText)",
            timeout=40_000,
        )
        yield watched


@pytest.fixture
def live(opened: Watched) -> Iterator[Watched]:
    """The same page for every test, in its original state."""
    yield opened
    opened.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
