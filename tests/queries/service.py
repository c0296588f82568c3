"""A service without Kafka: real shards over a log in memory, a real Redis, and the page that answers."""

import json
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from stream.configure.fingerprints import definition_version
from stream.metrics.metric import required_grains
from stream.publish.snapshot import Snapshot
from stream.store.published import PublishedState
from stream.store.stored_counts import StoredCounts
from stream.web.query_request import QueryReader
from stream.web.query_routes import QueryPage
from stream.worker.publisher import Publisher
from tests.upgrade.worker import PARTITIONS, InProcessWorker


class Service:
    """Counts events, publishes snapshots and answers queries."""

    def __init__(self, redis_url: str, directory: Path, settings: str = "") -> None:
        """`settings`: lines of engage.toml."""
        self.worker = InProcessWorker(settings, redis_url, directory)
        worker = self.worker
        state = PublishedState(worker.client, worker.store, worker.settings.app, PARTITIONS)
        definition = definition_version(worker.settings)
        self._publisher = Publisher(state, worker.metrics, worker.rules, definition)
        self.snapshot: Snapshot | None = None
        self.counts = StoredCounts(worker.client, worker.store, PARTITIONS)
        self.page = self.new_page(self.counts)
        self._clients: list[TestClient[Any, Any]] = []

    def new_page(self, counts: StoredCounts) -> QueryPage:
        """Return a page of another worker of the same service."""
        worker = self.worker
        return QueryPage(
            worker.settings,
            QueryReader(worker.metrics, worker.settings.dimensions, worker.rules.calendar_of),
            counts,
            lambda: self.snapshot,
            worker.rules.calendar_of,
            definition_version(worker.settings),
            required_grains(worker.metrics),
        )

    async def __aenter__(self) -> "Service":
        await self.worker.take_over()
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.close()
        await self.worker.client.aclose()

    async def client(self, page: QueryPage | None = None) -> "TestClient[Any, Any]":
        """Return a client of a page, by default of the service's own; it is closed with the service."""
        app = web.Application()
        (page or self.page).add_routes(app.router)
        client: TestClient[Any, Any] = TestClient(TestServer(app))
        self._clients.append(client)
        await client.start_server()
        return client

    async def count(self, events: Iterable[Mapping[str, Any] | bytes], now_ms: int) -> None:
        """Count events in their order, store a checkpoint of each shard, and renew the snapshot."""
        topic = self.worker.settings.topics.page_views
        step = [self._logged(topic, event, now_ms) for event in events]
        await self.worker.read(step, now_ms)
        await self.publish(now_ms)

    async def publish(self, now_ms: int) -> None:
        """Renew the snapshot."""
        self.snapshot = await self._publisher.refresh(now_ms)

    def _logged(self, topic: str, event: Mapping[str, Any] | bytes, now_ms: int) -> tuple[Any, ...]:
        raw = event if isinstance(event, bytes) else json.dumps(event).encode()
        person = json.loads(raw)
        who = str(person.get("user_id") or person.get("visitor_id"))
        return topic, zlib.crc32(who.encode()) % PARTITIONS, now_ms, 1, who, raw.decode("latin-1")
