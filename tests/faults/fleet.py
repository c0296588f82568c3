"""A fleet of real workers on real servers: the records sent to them, and the state they have stored."""

import os
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import redis
from confluent_kafka import KafkaError, Message, Producer

from agents.commands.topics import run_topics_create
from stream.configure.load import load_settings
from stream.engine.checkpoint import read_stored
from stream.engine.stored.shard import StoredShard
from stream.settings.application import Settings
from stream.settings.intake import INPUT_ROLES
from stream.store.keys import ShardKeys, generation, state_name
from tests.faults.topics import topic_bounds
from tests.faults.worker_process import PATIENCE, TimedOut, WorkerProcess, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
PARTITIONS = 4


class Record(NamedTuple):
    """Record to send: the role of its topic, its partition, key and value."""

    role: str
    partition: int
    key: bytes | None
    value: bytes | None


class Fleet:
    """Workers of one app with topics of its own, and access to their state."""

    def __init__(
        self,
        bootstrap: str,
        redis_url: str,
        directory: Path,
        *,
        workers: int = 2,
        module: str = "agents",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`settings` override ours: PUBLISH_CUT_SECONDS stands for ENGAGE_PUBLISH_CUT_SECONDS."""
        app = f"t{uuid.uuid4().hex[:8]}"
        environ = _environ(app, bootstrap, redis_url) | {
            f"ENGAGE_{name}": value for name, value in (settings or {}).items()
        }
        self.settings: Settings = load_settings(None, environ)
        self.directory = directory
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ENGAGE_")}
        environ |= {"PYTHONPATH": str(REPOSITORY), "ENGAGE_CONFIG": os.devnull}
        environ["TEST_FOLDED_FILE"] = str(directory / "folded.txt")
        directory.mkdir(parents=True, exist_ok=True)
        self._environ = inherited | environ
        self.workers = [
            WorkerProcess(f"worker{number}", directory, self._environ, module)
            for number in range(workers)
        ]
        self.sent: Counter[tuple[str, int]] = Counter()
        self._failed: list[str] = []
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5,
             "message.timeout.ms": 120_000, "queue.buffering.max.messages": 1_000_000}
        )  # fmt: skip
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=5)

    @property
    def environ(self) -> Mapping[str, str]:
        """Environment of commands of the fleet."""
        return self._environ

    def create_topics(self) -> Self:
        """Create all topics of the app."""
        out = StringIO()
        assert run_topics_create(self.settings, out) == 0, out.getvalue()
        return self

    def start(self) -> Self:
        """Start all workers, and wait until every partition is assigned."""
        for worker in self.workers:
            worker.start()
        self.wait_assigned()
        return self

    def wait_assigned(self, timeout: float = PATIENCE) -> float:
        """Wait until every partition of every topic is on one running worker, and every worker has some."""
        topics = self.settings.topics.inputs
        everything = Counter((topic, p) for topic in topics for p in range(PARTITIONS))

        def is_complete() -> bool:
            held = [worker.partitions() for worker in self.workers if worker.running]
            return all(held) and Counter(tp for tps in held for tp in tps) == everything

        return wait_until("every partition is on exactly one worker", is_complete, timeout)

    def reconfigure(self, **settings: str) -> None:
        """Change the environment of workers and commands that start from now on."""
        for environ in (self._environ, *(worker.environ for worker in self.workers)):
            environ.update({f"ENGAGE_{name}": value for name, value in settings.items()})
        self.settings = load_settings(None, self._environ)

    def command(self, *arguments: str, timeout: float = 120.0, code: int = 0) -> str:
        """Run `engage` with these arguments and the fleet's settings; return its output.

        It must end with `code`.
        """
        done = subprocess.run(
            [sys.executable, "-m", "agents", *arguments],
            cwd=self.directory,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == code, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout if code == 0 or done.stdout else done.stderr

    # ---- sending

    def topic(self, role: str) -> str:
        """Return the name of the topic with this role."""
        return str(getattr(self.settings.topics, role))

    def produce(self, records: Iterable[Record]) -> None:
        """Send in this order; `flush` confirms."""
        for record in records:
            topic = self.topic(record.role)
            while True:
                try:
                    self._producer.produce(
                        topic, record.value, record.key, record.partition, on_delivery=self._note
                    )
                    break
                except BufferError:
                    self._producer.poll(0.1)
            self.sent[topic, record.partition] += 1
            self._producer.poll(0)

    def flush(self, timeout: float = 120.0) -> None:
        """Wait until Kafka has all sent records."""
        assert self._producer.flush(timeout) == 0, "Kafka does not take what is sent"
        assert not self._failed, self._failed[:3]

    def note_sent(self) -> None:
        """Count the records of the topics as sent, after another program has sent them."""
        for topic in self.settings.topics.inputs:
            for partition, (_, end) in topic_bounds(self.settings, topic).items():
                self.sent[topic, partition] = end

    def _note(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failed.append(str(error))

    # ---- stored state

    def stored(self) -> dict[int, StoredShard]:
        """Return the state part of each partition's last checkpoint; {} without an answer from Redis."""
        found: dict[int, StoredShard] = {}
        for partition in range(PARTITIONS):
            try:
                live = self._redis.get(generation(self.settings.app))
                name = state_name(
                    self.settings.app, live.decode() if isinstance(live, bytes) else ""
                )
                state = self._redis.hget(ShardKeys(name, partition).meta, "state")
            except redis.RedisError:
                return {}
            if isinstance(state, bytes) and state:
                found[partition] = read_stored(state)
        return found

    def claimed(self) -> set[int]:
        """Return the shards that the first generation of the state has."""
        return set(self.claims())

    def claims(self) -> dict[int, tuple[object, ...]]:
        """Return owner and epoch of each shard of the first generation."""
        found = {}
        for partition in range(4 * PARTITIONS):
            meta = ShardKeys(self.settings.app, partition).meta
            owner = self._redis.hmget(meta, ["owner", "epoch"])
            if any(owner):
                found[partition] = tuple(owner)
        return found

    def position(self) -> dict[tuple[str, int], int]:
        """Return the next offset of each (topic, partition) by the stored checkpoints."""
        shards = self.stored().items()
        return {
            (name, p): topic.next for p, shard in shards for name, topic in shard.topics.items()
        }

    def lag(self) -> int:
        """Return the number of sent records that no stored checkpoint holds yet."""
        stored = self.position()
        return sum(max(count - stored.get(tp, 0), 0) for tp, count in self.sent.items())

    def wait_counted(self, timeout: float = PATIENCE) -> float:
        """Wait until the checkpoints hold every sent record, and silence has closed every session."""
        self.flush()

        def is_counted() -> bool:
            shards = self.stored()
            whole = len(shards) == PARTITIONS and self.lag() == 0
            return whole and not sum(shard.open_sessions for shard in shards.values())

        try:
            return wait_until("all that was sent is counted and all sessions are closed",
                              is_counted, timeout)  # fmt: skip
        except TimedOut as error:
            tails = "\n".join(
                f"--- {w.name} running={w.running}\n{w.log_tail()}" for w in self.workers
            )
            sessions = {p: shard.open_sessions for p, shard in self.stored().items()}
            text = f"{error}; lag {self.lag()}, open sessions by shard {sessions}\n{tails}"
            raise TimedOut(text) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self.workers:
            worker.end()
        self._redis.close()


def _environ(app: str, bootstrap: str, redis_url: str) -> dict[str, str]:
    """Return settings that make tests quick; a broker allows no session shorter than 6 s."""
    roles = (*INPUT_ROLES, "metrics", "ledger")
    topics = {f"ENGAGE_TOPICS_{role.upper()}": f"{app}.{role}" for role in roles}
    return topics | {
        "ENGAGE_APP": app,
        "ENGAGE_KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "ENGAGE_REDIS_URL": redis_url,
        "ENGAGE_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
        "ENGAGE_KAFKA_HEARTBEAT_SECONDS": "1",
        "ENGAGE_TOPICS_PARTITIONS": str(PARTITIONS),
        "ENGAGE_PUBLISH_RECORDS_SECONDS": "2",
        "ENGAGE_LOG_FORMAT": "text",
    }
