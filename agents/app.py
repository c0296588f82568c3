"""The one place that wires the worker: Faust, shards, Redis, publisher, pages."""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import faust
from faust.types import TP

from agents.topic_agents import AGENTS
from stream.churn.model import ChurnModel
from stream.configure.compile import build_rules
from stream.configure.fingerprints import definition_version
from stream.kafka.log import FaustLog
from stream.kafka.options import bootstrap_servers, faust_credentials
from stream.kafka.producer import BatchProducer
from stream.kafka.transport import CODEC, SCHEME, Assignor, Transport, register_transport
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import required_grains
from stream.settings.application import Settings
from stream.store.connection import connect_redis
from stream.store.memory import Memory, MemoryWatch
from stream.store.published import PublishedState
from stream.store.shards import Store
from stream.web.exporter import Exporter, SnapshotCollector
from stream.web.live import LiveNumbers
from stream.web.live_alerts import AlertWatch
from stream.web.live_pipeline import Pipeline
from stream.web.live_routes import LivePages
from stream.web.server import Web
from stream.worker.dead_letters import DeadLetterSender
from stream.worker.owner import ShardOwner
from stream.worker.publisher_loop import PublisherLoop
from stream.worker.telemetry import Telemetry

_log = logging.getLogger(__name__)
#: Batches that may wait for the agents, per input topic: enough to keep the fetching busy.
_BATCHES_WAITING = 2
_CHECKPOINTS = "cuts"
_LOOK_AGAIN_SECONDS = 0.2


class Worker:
    """Everything one process runs. Nothing connects before `start`."""

    def __init__(self, settings: Settings, partitions: int) -> None:
        register_transport()
        self.settings = settings
        self.partitions = partitions
        rules = build_rules(settings)
        if rules.churn_risk is not None:
            ChurnModel()  # Its library takes seconds to import: not while partitions wait.
        metrics = catalogue(settings)
        self.name = f"{socket.gethostname()}:{os.getpid()}:{time.time_ns():x}"
        self.redis = connect_redis(settings)
        self.store = Store(self.redis, settings.app, self.name, partitions)
        self.app = _faust_app(settings)
        self.log = FaustLog(self.app)
        self.producer = BatchProducer(settings)
        self.dead_letters = DeadLetterSender(self.store, self.producer, settings.topics.ledger)
        topic = settings.churn_risk.topic
        tell_risk = partial(self.producer.send, topic) if topic else None
        self.owner = ShardOwner(
            settings,
            rules,
            required_grains(metrics),
            self.store,
            self.log,
            self.dead_letters,
            tell_risk,
        )
        self.telemetry = Telemetry(self.owner, self.log, self.dead_letters)
        self.memory_watch = MemoryWatch(self.redis, settings, self._note_memory)
        self.publisher = PublisherLoop(
            settings,
            PublishedState(self.redis, self.store, settings.app, partitions),
            metrics,
            rules,
            definition_version(settings),
            self.owner,
            self.producer,
            self.telemetry,
        )
        collector = SnapshotCollector(
            metrics,
            lambda: self.publisher.snapshot,
            settings.publish.snapshot_max_age_seconds,
            self.telemetry.collect,
        )
        self.live = self._live_pages(LiveNumbers(metrics, settings.dimensions))
        self.web = Web(settings, Exporter(collector), self._checks, self.live)
        self._room = asyncio.Event()
        self._waiting = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self._wire()

    # ---- what the transport asks

    async def assigned(self, tps: set[TP]) -> Mapping[TP, int]:
        """Faust's consumer asks where to read from."""
        self._waiting = 0  # A rebalance has thrown away what was on its way.
        self._room.set()
        return await self.owner.assigned(tps)

    async def room(self) -> None:
        """Wait while enough batches are on their way to the agents."""
        limit = _BATCHES_WAITING * len(self.settings.topics.inputs)
        # Agents that are being stopped take nothing any more: the consumer must not wait for them.
        while self._waiting > limit and not self.app.should_stop:
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), _LOOK_AGAIN_SECONDS)

    # ---- what the agents ask

    async def consume(self, topic: str, stream: Any) -> None:
        """Feed a topic's batches to their shards, for ever."""
        async for event in stream.events():
            try:
                await self.owner.consume(topic, event.message.partition, event.value)
            finally:
                self._waiting = max(self._waiting - 1, 0)
                self._room.set()

    # ---- life

    async def start(self) -> None:
        """Connect and listen; the consumer starts after this."""
        await self.producer.start()
        await self.web.start()
        loop = asyncio.get_running_loop()
        for name, work in (
            (_CHECKPOINTS, self._checkpoint_loop()),
            ("ledger", self.dead_letters.run()),
            ("publisher", self.publisher.run()),
            ("memory", self.memory_watch.run()),
        ):
            self._tasks.append(loop.create_task(work, name=name))
        _log.info("listening on http://%s:%d", self.settings.web.host, self.settings.web.port)

    async def finish(self) -> None:
        """Store everything once more; no cut follows."""
        self.owner.is_closing = True
        tasks, self._tasks = self._tasks, []
        # Not the cuts: one that is cancelled may be stored all the same, and the last one, which
        # does not know of it, would then be refused.
        for task in tasks:
            if task.get_name() != _CHECKPOINTS:
                task.cancel()
        await self.owner.finish()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Let go of everything."""
        await self.web.stop()
        await self.producer.stop()
        await self.redis.aclose()

    @property
    def failure(self) -> BaseException | None:
        """What has stopped this worker for good; None while there is nothing."""
        if self.owner.fatal is not None:
            return self.owner.fatal
        for task in self._tasks:
            if task.done() and not task.cancelled():
                return task.exception() or RuntimeError(f"the task {task.get_name()} has ended")
        return self.app.crash_reason if self.app.crashed else None

    async def failed(self) -> None:
        """Return when the worker cannot go on."""
        while self.failure is None and not self.app.should_stop:  # noqa: ASYNC110  no event to wait for
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _checkpoint_loop(self) -> None:
        interval = self.settings.publish.cut_seconds
        while True:
            await asyncio.sleep(interval)
            await self.owner.follow_generation()
            await self.owner.tick()

    def _live_pages(self, numbers: LiveNumbers) -> LivePages:
        alerts = AlertWatch(self.settings.web.prometheus_url)
        age_max = self.settings.publish.snapshot_max_age_seconds
        age = self.publisher.snapshot_age_seconds
        pipeline = Pipeline(self.owner, self.log, self.telemetry, alerts, age, age_max)
        return LivePages(numbers, alerts, pipeline, lambda: self.publisher.snapshot, age_max)

    def _note_memory(self, memory: Mapping[str, Memory]) -> None:
        self.telemetry.redis_memory = memory

    def _checks(self) -> dict[str, str]:
        shards = [assigned.shard for assigned in self.owner.assigned_shards.values()]
        lost = sum(shard is None for shard in shards)
        age = self.publisher.snapshot_age_seconds()
        limit = self.settings.publish.snapshot_max_age_seconds
        return {
            "partitions": self.owner.problem,
            "shards": f"{lost} are being read again" if lost else "",
            "snapshot": "" if age is not None and age <= limit else "none that is new enough",
        }

    def _wire(self) -> None:
        transport = self.app.transport
        assert isinstance(transport, Transport)
        transport.fetch_max_wait_ms = self.settings.kafka.fetch_max_wait_ms
        transport.assigned = self.assigned
        transport.room = self.room
        transport.delivered = self._delivered
        for role, agent in AGENTS.items():
            name = getattr(self.settings.topics, role)
            if name:
                topic = self.app.topic(
                    name, key_serializer="raw", value_serializer=CODEC, acks=False, internal=True
                )
                self.app.agent(topic, name=role)(agent(self, name))

    def _delivered(self) -> None:
        self._waiting += 1


def _faust_app(settings: Settings) -> faust.App:
    kafka = settings.kafka
    return faust.App(
        kafka.group or settings.app,
        broker=";".join(f"{SCHEME}://{server}" for server in bootstrap_servers(settings)),
        broker_credentials=faust_credentials(settings),
        broker_session_timeout=kafka.session_timeout_seconds,
        broker_heartbeat_interval=kafka.heartbeat_seconds,
        consumer_max_fetch_size=kafka.max_partition_fetch_bytes,
        consumer_auto_offset_reset="earliest",
        # A positive number makes Faust use its own assignor, which keeps the partition numbers of
        # the topics together. There are no tables, so no standby is ever made.
        table_standby_replicas=1,
        PartitionAssignor=Assignor,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        web_enabled=False,
        value_serializer="raw",
        key_serializer="raw",
        store="memory://",
        datadir=Path(gettempdir()) / f"engagement-{os.getpid()}",
        autodiscover=False,
    )
