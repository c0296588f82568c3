"""Servers of a test's own, which it may damage."""

from collections.abc import Iterator

import pytest

from tests.conftest import missing
from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerMissing
from tests.servers.redis_server import RedisServer
from tests.servers.rights import CHECKS_RIGHTS


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that tests may damage."""
    try:
        server = RedisServer()
    except ServerMissing as error:
        missing(error)
    with server:
        yield server


@pytest.fixture
def own_kafka() -> Iterator[KafkaServer]:
    """A broker that tests may damage."""
    try:
        server = KafkaServer()
    except ServerMissing as error:
        missing(error)
    with server:
        yield server


@pytest.fixture
def guarded_kafka() -> Iterator[KafkaServer]:
    """A broker that checks rights."""
    try:
        server = KafkaServer(CHECKS_RIGHTS)
    except ServerMissing as error:
        missing(error)
    with server:
        yield server
