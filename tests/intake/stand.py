"""Processes of the intake with topics of their own, and what they have written."""

import json
import os
import time
import uuid
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.commands.topics import run_topics_create
from stream.configure.load import load_settings
from stream.intake.process import group_of
from stream.settings.application import Settings
from stream.settings.intake import INPUT_ROLES
from tests.faults.topics import topic_bounds
from tests.faults.worker_process import WorkerProcess, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
PARTITIONS = 4
_SECONDS = 60.0


class Written(NamedTuple):
    """A record that the intake has written."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    timestamp: int
    origin: str


class Stand:
    """One app with a foreign topic, its settings, and processes of the intake."""

    def __init__(
        self,
        bootstrap: str,
        directory: Path,
        *,
        partitions: int = 2,
        preset: str = "segment",
        redis_url: str = "redis://127.0.0.1:1/0",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`partitions` are those of the foreign topic."""
        self.app = f"i{uuid.uuid4().hex[:8]}"
        self.foreign = f"{self.app}.foreign"
        self.bootstrap = bootstrap
        self.directory = directory
        roles = (*INPUT_ROLES, "metrics", "ledger")
        environ = {f"ENGAGE_TOPICS_{role.upper()}": f"{self.app}.{role}" for role in roles} | {
            "ENGAGE_APP": self.app,
            "ENGAGE_KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "ENGAGE_REDIS_URL": redis_url,
            "ENGAGE_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
            "ENGAGE_KAFKA_HEARTBEAT_SECONDS": "1",
            "ENGAGE_TOPICS_PARTITIONS": str(PARTITIONS),
            "ENGAGE_LOG_FORMAT": "text",
            "ENGAGE_SOURCES": json.dumps({"web": {"topics": [self.foreign], "preset": preset}}),
        }
        environ |= {f"ENGAGE_{name}": value for name, value in (settings or {}).items()}
        self.settings: Settings = load_settings(None, environ)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ENGAGE_")}
        self.environ = inherited | environ | {
            "PYTHONPATH": str(REPOSITORY), "ENGAGE_CONFIG": os.devnull,
        }  # fmt: skip
        self.processes: list[WorkerProcess] = []
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5,
             "queue.buffering.max.messages": 1_000_000}
        )  # fmt: skip
        assert run_topics_create(self.settings, StringIO()) == 0
        if partitions:
            self.create_foreign(partitions)

    def create_foreign(self, partitions: int) -> None:
        """Create the foreign topic; its times are those of its producer."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        wanted = NewTopic(
            self.foreign, num_partitions=partitions, replication_factor=1,
            config={"retention.ms": "-1"},
        )  # fmt: skip
        admin.create_topics([wanted])[self.foreign].result(timeout=30)

    def process(self, *, module: str = "agents", **settings: str) -> WorkerProcess:
        """Make a process of the intake; the caller starts it."""
        environ = self.environ | {f"ENGAGE_{name}": value for name, value in settings.items()}
        name = f"intake{len(self.processes)}"
        made = WorkerProcess(name, self.directory, environ, module, "intake")
        self.processes.append(made)
        return made

    def send(
        self, partition: int, values: Iterable[bytes | None], begin_ms: int, step_ms: int = 1
    ) -> None:
        """Send values to a partition of the foreign topic, with times of Kafka from `begin_ms` on."""
        for number, value in enumerate(values):
            while True:
                try:
                    self._producer.produce(
                        self.foreign,
                        value,
                        partition=partition,
                        timestamp=begin_ms + number * step_ms,
                    )
                    break
                except BufferError:
                    self._producer.poll(0.1)
        assert self._producer.flush(_SECONDS) == 0

    def committed(self) -> dict[int, int]:
        """Return the offset that the group has committed, by partition of the foreign topic."""
        consumer = self._consumer(group_of(self.settings))
        try:
            bounds = topic_bounds(self.settings, self.foreign)
            found = consumer.committed(
                [TopicPartition(self.foreign, p) for p in bounds], timeout=_SECONDS
            )
            return {tp.partition: tp.offset for tp in found if tp.offset >= 0}
        finally:
            consumer.close()

    def wait_carried(self, timeout: float = 90.0) -> None:
        """Wait until every record of the foreign topic is committed."""
        ends = {p: end for p, (_, end) in topic_bounds(self.settings, self.foreign).items() if end}

        def is_carried() -> bool:
            reached = self.committed()
            return all(reached.get(p, 0) >= end for p, end in ends.items())

        wait_until("all records are carried", is_carried, timeout)

    def written(self, *, ledger: bool = False) -> list[Written]:
        """Return what committed transactions have written to the input topics, or to the dead letters."""
        topics = [self.settings.topics.ledger] if ledger else list(self.settings.topics.inputs)
        consumer = self._consumer(f"{self.app}-read")
        found: list[Written] = []
        try:
            places = [
                TopicPartition(topic, p, first)
                for topic in topics
                for p, (first, end) in topic_bounds(self.settings, topic).items()
                if first < end
            ]
            left = {(tp.topic, tp.partition) for tp in places}
            consumer.assign(places)
            deadline = time.monotonic() + _SECONDS
            while left:
                assert time.monotonic() < deadline, f"not read to the end: {left}"
                for message in consumer.consume(5_000, 0.5):
                    place = str(message.topic()), int(message.partition() or 0)
                    if message.error() is not None:
                        assert message.error().code() == -191, message.error()  # the end
                        left.discard(place)
                        continue
                    headers = dict(message.headers() or [])
                    found.append(
                        Written(*place, message.key(), message.value() or b"",
                                message.timestamp()[1], str(headers["engage-origin"], "ascii"))
                    )  # fmt: skip
        finally:
            consumer.close()
        return found

    def _consumer(self, group: str) -> Consumer:
        return Consumer(
            {"bootstrap.servers": self.bootstrap, "group.id": group, "enable.auto.commit": False,
             "isolation.level": "read_committed", "enable.partition.eof": True}
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in self.processes:
            one.end()
            if kind is not None:
                print(f"--- {one.name}\n{one.log_tail()}")
