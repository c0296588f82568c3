"""Prometheus, Alertmanager and webhook for each test, started after their files are written."""

from collections.abc import Iterator

import pytest

from tests.alerting.servers import AlertmanagerServer
from tests.chain.servers import Prometheus, Webhook


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    server = Prometheus()
    yield server
    server.close()


@pytest.fixture
def alertmanager() -> Iterator[AlertmanagerServer]:
    server = AlertmanagerServer()
    yield server
    server.close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as hook:
        yield hook
