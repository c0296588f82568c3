"""Fixtures for every test: real servers, an emptied database, topics with names of their own."""

import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import NoReturn, TypeVar

import hypothesis
import pytest
import redis
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.servers.kafka_server import KafkaServer
from tests.servers.process import ServerFailed, ServerMissing, ServerProcess
from tests.servers.redis_server import RedisServer
from tests.servers.rights import CHECKS_RIGHTS

IN_CI = bool(os.environ.get("CI"))
TopicFactory = Callable[..., str]
AnyServer = TypeVar("AnyServer", bound=ServerProcess)

# CI must give the same verdict on the same code; on a developer's machine, new examples find more.
hypothesis.settings.register_profile("desk", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if IN_CI else "desk")


def missing(error: ServerMissing) -> NoReturn:
    """Skip with the reason on a developer's machine; fail in CI, where every test must run."""
    if IN_CI:
        pytest.fail(str(error), pytrace=False)
    pytest.skip(str(error))


@contextmanager
def provided(make: Callable[[], AnyServer]) -> Iterator[AnyServer]:
    """Run a server in a block; skip or fail the test, as `missing` does, if its program is missing."""
    try:
        server = make()
    except ServerMissing as error:
        missing(error)
    with server:
        yield server


def needs_river() -> None:
    """Continue a test or module only if the extra `predict` is installed."""
    if find_spec("river") is None:
        reason = "river is not installed: `pip install engagement-stream[predict]`"
        if IN_CI:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason, allow_module_level=True)


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaServer]:
    """One real broker for the whole run; tests that kill a broker start their own."""
    with provided(KafkaServer) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One real Redis for the whole run; tests that kill a Redis start their own."""
    with provided(RedisServer) as server:
        yield server


@pytest.fixture
def own_kafka() -> Iterator[KafkaServer]:
    """A broker that the test may damage."""
    with provided(KafkaServer) as server:
        yield server


@pytest.fixture
def guarded_kafka() -> Iterator[KafkaServer]:
    """A broker that checks rights."""
    with provided(lambda: KafkaServer(CHECKS_RIGHTS)) as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that the test may damage."""
    with provided(RedisServer) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Address of an empty database."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def redis_cluster_url() -> Iterator[str]:
    """Address of an empty Redis Cluster: one node that holds all slots."""
    with ExitStack() as stack:
        server = _started_cluster(stack)
        client = redis.Redis.from_url(server.url)
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        until = time.monotonic() + 20
        while b"cluster_state:ok" not in client.execute_command("CLUSTER", "INFO"):
            assert time.monotonic() < until, "the cluster did not come up"
            time.sleep(0.1)
        client.close()
        yield server.url


def _started_cluster(stack: ExitStack) -> RedisServer:
    """Start a node. Its second port, 10,000 above the first, may be taken: then try another pair."""
    extra = ("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
    tries = 5
    while True:
        try:
            return stack.enter_context(RedisServer(extra=extra))
        except ServerMissing as error:
            missing(error)
        except ServerFailed:
            tries -= 1
            if not tries:
                raise


@pytest.fixture(params=["server", "cluster"])
def redis_address(request: pytest.FixtureRequest) -> tuple[str, bool]:
    """Address of an empty Redis, and whether it is a cluster: a test runs on both."""
    is_cluster = request.param == "cluster"
    return request.getfixturevalue("redis_cluster_url" if is_cluster else "redis_url"), is_cluster


@pytest.fixture
def topics(kafka: KafkaServer, request: pytest.FixtureRequest) -> Iterator[TopicFactory]:
    """Topic factory: `topics("clicks", partitions=4)` creates a topic with a name unique to the test."""
    slug = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)[:40].strip("-")
    prefix = f"{slug}-{uuid.uuid4().hex[:6]}"
    created: list[str] = []
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})

    def create(name: str, partitions: int = 4, **config: str) -> str:
        """Underscores in the names of `config` stand for dots: cleanup_policy="compact"."""
        topic = f"{prefix}.{name}"
        settings = {key.replace("_", "."): value for key, value in config.items()}
        wanted = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=settings)
        admin.create_topics([wanted])[topic].result(timeout=30)
        created.append(topic)
        return topic

    yield create
    # Delete without waiting: left-over topics slow the broker down over a long run, but harm no
    # test.
    if created and kafka.running:
        admin.delete_topics(created)
        admin.poll(0)
