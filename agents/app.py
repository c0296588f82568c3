"""The one place that wires the worker: Redis, Kafka, shards, publisher, pages."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from faust.types import TP

from agents.topic_agents import AGENTS
from stream.churn.model import ChurnModel
from stream.configure.compile import build_rules
from stream.configure.fingerprints import definition_version
from stream.engine.rules import Rules
from stream.kafka.backpressure import Backpressure
from stream.kafka.faust_app import faust_app
from stream.kafka.log import FaustLog
from stream.kafka.metadata import ClusterMetadata
from stream.kafka.producer import BatchProducer
from stream.kafka.transport import CODEC, Transport
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import Metric, required_grains
from stream.publish.log_identity import LogIdentity
from stream.settings.application import Settings
from stream.store.connection import connect_redis
from stream.store.memory import MemoryWatch
from stream.store.published import PublishedState
from stream.store.shards import Store
from stream.store.stored_counts import StoredCounts
from stream.store.worker_reports import WorkerReports
from stream.web.exporter import Exporter, SnapshotCollector
from stream.web.live import LiveNumbers
from stream.web.live_alerts import AlertWatch
from stream.web.live_pipeline import Pipeline
from stream.web.live_routes import LivePages
from stream.web.query_request import QueryReader
from stream.web.query_routes import QueryPage
from stream.web.readiness import Readiness
from stream.web.server import Web
from stream.worker.dead_letters import DeadLetterSender
from stream.worker.loading import Loader
from stream.worker.owner import ShardOwner
from stream.worker.process.garbage import COLLECTOR
from stream.worker.publisher import Publisher
from stream.worker.publisher_loop import PublisherLoop
from stream.worker.record_sender import RecordSender
from stream.worker.staleness.broker import BrokerWatch
from stream.worker.staleness.outputs import Outputs
from stream.worker.staleness.reporter import Reporter
from stream.worker.staleness.shared import SharedReasons
from stream.worker.staleness.watch import StaleWatch
from stream.worker.staleness.watermarks import WatermarkWatch
from stream.worker.status import OwnerStatus
from stream.worker.stored_shards import ReachedOffsets
from stream.worker.telemetry import Telemetry
from stream.worker.watch.evictions import EvictionWatch
from stream.worker.watch.log import LogWatch

_log = logging.getLogger(__name__)
#: Batches that may wait for the agents, per input topic: enough to keep the fetching busy.
_BATCHES_WAITING = 2
_CHECKPOINTS = "checkpoints"
_LOOK_AGAIN_SECONDS = 0.2


class Worker:
    """Everything one process runs. Nothing connects before `start`."""

    def __init__(self, settings: Settings, counted: LogIdentity) -> None:
        """`counted` is the log of the input topics."""
        self.settings = settings
        partitions = counted.partitions
        # What is counted and published.
        rules = build_rules(settings)
        if rules.churn_risk is not None:
            ChurnModel()  # Imports its library now, for seconds, while no partition waits for it.
        metrics = catalogue(settings)
        # Redis: the stored shards, and what is published from them.
        self.redis = connect_redis(settings)
        store = Store(self.redis, settings.app, _worker_name(), counted)
        published = PublishedState(self.redis, store, settings.app, partitions)
        # Kafka: one consumer for all input topics, one producer for everything that is sent.
        self.app = faust_app(settings)
        log = FaustLog(self.app)
        self.producer = BatchProducer(settings)
        outputs = Outputs(self.producer)
        # The shards of this worker.
        self.dead_letters = DeadLetterSender(store, outputs, settings.topics.ledger)
        loader = Loader(settings, rules, required_grains(metrics), store, log)
        risks = settings.churn_risk.topic
        send_risks = partial(outputs.send, risks) if risks else None
        status = OwnerStatus()
        self.metadata = ClusterMetadata(settings)
        self.log_watch = LogWatch(settings, counted, status, self.metadata.look)
        self.owner = ShardOwner(
            settings, loader, store, log, self.dead_letters, send_risks,
            status, self.log_watch.verify,
        )  # fmt: skip
        # The numbers of all shards, published by the owner of shard 0.
        self.telemetry = Telemetry(self.owner, log, self.dead_letters)
        evictions = EvictionWatch(status)
        self.memory_watch = MemoryWatch(
            self.redis, settings, self.telemetry.note_memory, evictions.note
        )
        records = RecordSender(outputs, settings.topics.metrics, self.telemetry)
        definition, compare = definition_version(settings), settings.publish.compare
        new_publisher = partial(
            Publisher, published, metrics, rules, definition, compare, ReachedOffsets()
        )
        epoch, rounds = partial(self.owner.epoch, 0), self.owner.rounds
        reports = WorkerReports(self.redis, store)
        shared = SharedReasons(reports, partitions)
        self.publisher = PublisherLoop(
            settings, published, new_publisher, records, epoch, self.telemetry, shared, rounds
        )
        # Whether the numbers are live.
        self.broker_watch = BrokerWatch(
            self.owner, log, settings.topics.inputs, self.producer.answer
        )
        self.stale_watch = self._stale_watch(outputs)
        self.reporter = self._reporter(reports)
        # Pages for people, Prometheus and supervisors.
        counts = StoredCounts(self.redis, store, partitions)
        self.web = self._pages(metrics, log, self._query_page(rules, metrics, counts))
        # Batches go from the consumer through the agents to the shards.
        self._backpressure = self._connect_transport()
        self._connect_agents()
        self._tasks: list[asyncio.Task[Any]] = []

    def _stale_watch(self, outputs: Outputs) -> StaleWatch:
        settings, publisher = self.settings, self.publisher
        lateness_ms = round(settings.time.allowed_lateness_seconds * 1000)
        return StaleWatch(
            self.owner,
            outputs,
            WatermarkWatch(self.owner, lateness_ms),
            lambda: publisher.snapshot,
            settings.publish.snapshot_max_age_seconds,
        )

    def _reporter(self, reports: WorkerReports) -> Reporter:
        owner, watch = self.owner, self.stale_watch
        shards = lambda: list(owner.assigned_shards)  # noqa: E731  those of each call
        reporter = Reporter(reports, shards, watch.reported, owner.heaviest)
        watch.add(reporter.reasons)
        return reporter

    def _query_page(
        self, rules: Rules, metrics: tuple[Metric, ...], counts: StoredCounts
    ) -> QueryPage:
        settings, publisher = self.settings, self.publisher
        return QueryPage(
            settings,
            QueryReader(metrics, settings.dimensions, rules.calendar_of),
            counts,
            lambda: publisher.snapshot,
            rules.calendar_of,
            definition_version(settings),
            required_grains(metrics),
        )

    def _pages(self, metrics: tuple[Metric, ...], log: FaustLog, queries: QueryPage) -> Web:
        settings, publisher = self.settings, self.publisher
        age, age_max = publisher.snapshot_age_seconds, settings.publish.snapshot_max_age_seconds
        snapshot = lambda: publisher.snapshot  # noqa: E731  the newest at each call
        watch = self.stale_watch
        exporter = Exporter(SnapshotCollector(metrics, snapshot, watch, self.telemetry.collect))
        alerts = AlertWatch(settings.web.prometheus_url)
        pipeline = Pipeline(self.owner, log, self.telemetry, alerts, age, age_max, watch.current)
        numbers = LiveNumbers(metrics, settings.dimensions)
        live = LivePages(numbers, alerts, pipeline, snapshot, age_max, watch.current)
        ready = Readiness(self.owner, watch.current)
        self._ready = ready
        return Web(settings, exporter, ready.checks, live, queries)

    def _connect_transport(self) -> Backpressure:
        limit = _BATCHES_WAITING * len(self.settings.topics.inputs)
        backpressure = Backpressure(limit, lambda: self.app.should_stop)
        transport = self.app.transport
        assert isinstance(transport, Transport)
        transport.fetch_max_wait_ms = self.settings.kafka.fetch_max_wait_ms
        transport.assigned = self.assigned
        transport.room = backpressure.room
        transport.delivered = backpressure.delivered
        return backpressure

    def _connect_agents(self) -> None:
        for role, agent in AGENTS.items():
            name = getattr(self.settings.topics, role)
            if name:
                topic = self.app.topic(
                    name, key_serializer="raw", value_serializer=CODEC, acks=False, internal=True
                )
                self.app.agent(topic, name=role)(agent(self, name))

    # ---- calls of the consumer and of the agents

    async def assigned(self, tps: set[TP]) -> Mapping[TP, int]:
        """Take over exactly these partitions; return where to read each from."""
        self._backpressure.reset()
        return await self.owner.assigned(tps)

    async def consume(self, topic: str, stream: Any) -> None:
        """Hand every batch of a topic's stream to its shard."""
        async for event in stream.events():
            try:
                await self.owner.consume(topic, event.message.partition, event.value)
            finally:
                self._backpressure.consumed()

    # ---- life

    async def start(self) -> None:
        """Connect and listen; the caller starts the Faust app after this."""
        await self.producer.start()
        await self.web.start()
        loop = asyncio.get_running_loop()
        for name, work in (
            (_CHECKPOINTS, self.owner.run()),
            ("dead letters", self.dead_letters.run()),
            ("publisher", self.publisher.run()),
            ("memory", self.memory_watch.run()),
            ("staleness", self.stale_watch.run()),
            ("log", self.log_watch.run()),
            ("broker", self.broker_watch.run()),
            ("reports", self.reporter.run()),
            ("loop lag", self.telemetry.loop_lag.run()),
            ("garbage", COLLECTOR.run()),
        ):
            self._tasks.append(loop.create_task(work, name=name))
        web = self.settings.web
        scheme = "https" if web.tls_certfile else "http"
        _log.info("pages at %s://%s:%d: /live, /metrics, /readyz", scheme, web.host, web.port)

    async def finish(self) -> None:
        """Store the last checkpoint of every shard."""
        tasks, self._tasks = self._tasks, []
        # Not the checkpoints: one that is cancelled may be stored all the same, and the last one,
        # which does not know of it, would be refused.
        for task in tasks:
            if task.get_name() != _CHECKPOINTS:
                task.cancel()
        await self.owner.finish()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.reporter.stop()

    async def stop(self) -> None:
        """Close the pages and all connections."""
        await self.web.stop()
        await self.producer.stop()
        await self.metadata.close()
        await self.redis.aclose()

    @property
    def failure(self) -> BaseException | None:
        """The failure that has ended this worker's work; None while it works."""
        if self.owner.fatal is not None:
            return self.owner.fatal
        for task in self._tasks:
            if task.done() and not task.cancelled():
                return task.exception() or RuntimeError(f"the task {task.get_name()} has ended")
        return self.app.crash_reason if self.app.crashed else None

    async def announce_ready(self) -> None:
        """Log once that /readyz says yes."""
        began = time.monotonic()
        while any(self._ready.checks().values()):  # noqa: ASYNC110  no event to wait for
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        _log.info("ready after %.1f s: the numbers are live", time.monotonic() - began)

    async def failed(self) -> None:
        """Return once the worker cannot go on."""
        while self.failure is None and not self.app.should_stop:  # noqa: ASYNC110  no event to wait for
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)


def _worker_name() -> str:
    """Return a name that no other worker has, also no earlier one with the same process id."""
    return f"{socket.gethostname()}:{os.getpid()}:{time.time_ns():x}"
