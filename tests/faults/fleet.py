"""Real workers as child processes on real servers: started, killed, frozen, asked, and ended for sure."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import redis
from confluent_kafka import KafkaError, Message, Producer
from prometheus_client.parser import text_string_to_metric_families

from agents.topics import run_topics_create
from stream.cut import StoredShard, read_stored
from stream.keys import ShardKeys
from stream.settings import INPUT_ROLES, Settings, load_settings
from tests.faults.topics import topic_bounds
from tests.servers.process import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
#: Enough for three processes to start on a loaded machine with two cores.
PATIENCE = 90.0
PARTITIONS = 4

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Record(NamedTuple):
    """What is sent: the role of its topic, its partition, its key and its bytes."""

    role: str
    partition: int
    key: bytes | None
    value: bytes | None


class TimedOut(AssertionError):
    """Something that had to happen has not happened in time."""


def wait_until(what: str, holds: Callable[[], bool], timeout: float = PATIENCE) -> float:
    """Seconds until `holds()`; raises TimedOut with `what` when it takes longer than the timeout."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > timeout:
            raise TimedOut(f"not within {timeout:.0f} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - began


class WorkerProcess:
    """One worker; it may be killed and started again, and keeps its port and its log file."""

    def __init__(self, name: str, directory: Path, environ: Mapping[str, str], module: str) -> None:
        self.name = name
        self.port = free_port()
        self.log = directory / f"{name}.log"
        self._module = module
        self._environ = {**environ, "ENGAGE_WEB_PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running worker."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it, in a session of its own so that Ctrl-C reaches the tests first."""
        assert not self.running
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module, "worker"],
                cwd=self.log.parent,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def kill9(self) -> int:
        """Kill it as a crash would, and prove that it died of that; the process id it had."""
        pid = self.pid
        assert self.running, f"{self.name} had ended before it was killed:\n{self.log_tail()}"
        os.kill(pid, signal.SIGKILL)
        code = self.wait(30)
        assert code == -signal.SIGKILL, f"{self.name} ended with {code}"
        return pid

    def pause(self) -> None:
        """Freeze it: it neither runs nor knows that time passes."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it run on, as if nothing had happened."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self, timeout: float = 45.0) -> int:
        """End it in order; its exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout: float) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimedOut(
                f"{self.name} has not ended in {timeout} s:\n{self.log_tail()}"
            ) from None

    def end(self) -> None:
        """End it whatever state it is in."""
        if self._process is not None and self.running:
            self._process.kill()
            self._process.wait(30)

    def log_tail(self) -> str:
        """The end of its log, for the message of a failure."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def page(self) -> Samples | None:
        """Its /metrics page as sample → value; None while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as page:
                text = page.read().decode()
        except OSError:
            return None
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """One sample of its page, summed over the labels that are not named; 0 where there is none."""
        wanted = set(labels.items())
        page = self.page() or {}
        return sum(v for (found, has), v in page.items() if found == name and wanted <= has)

    def partitions(self) -> set[tuple[str, int]]:
        """(topic, partition) of everything it reads now, by its own page."""
        name = "engagement_worker_lag_records"
        return {
            (labels["topic"], int(labels["partition"]))
            for (found, pairs) in (self.page() or {})
            if found == name and (labels := dict(pairs))
        }


class Fleet:
    """Workers of one app with topics of its own, and everything that a test wants to know of them."""

    def __init__(
        self,
        bootstrap: str,
        redis_url: str,
        directory: Path,
        *,
        workers: int = 2,
        module: str = "agents",
        **overrides: str,
    ) -> None:
        """`overrides` are further settings, as PUBLISH_CUT_SECONDS="2" for ENGAGE_PUBLISH_…"""
        app = f"t{uuid.uuid4().hex[:8]}"
        environ = _environ(app, bootstrap, redis_url) | {
            f"ENGAGE_{name}": value for name, value in overrides.items()
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

    def create_topics(self) -> Self:
        """All topics of the app."""
        out = StringIO()
        assert run_topics_create(self.settings, out) == 0, out.getvalue()
        return self

    def start(self) -> Self:
        """Start all workers, and wait until all partitions are in their hands."""
        for worker in self.workers:
            worker.start()
        self.wait_assigned()
        return self

    def wait_assigned(self, timeout: float = PATIENCE) -> float:
        """Until every partition of every topic is on one running worker, and none has nothing."""
        topics = self.settings.topics.inputs
        everything = Counter((topic, p) for topic in topics for p in range(PARTITIONS))

        def is_complete() -> bool:
            held = [worker.partitions() for worker in self.workers if worker.running]
            return all(held) and Counter(tp for tps in held for tp in tps) == everything

        return wait_until("every partition is on exactly one worker", is_complete, timeout)

    def command(self, *arguments: str, timeout: float = 120.0) -> str:
        """Run `engage` with these arguments and the fleet's settings; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "agents", *arguments],
            cwd=self.directory,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    # ---- what is sent

    def topic(self, role: str) -> str:
        """Name of the topic with this role."""
        return str(getattr(self.settings.topics, role))

    def produce(self, records: Iterable[Record]) -> None:
        """Send, in this order; `flush` confirms."""
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
        """Wait until Kafka has all that was sent."""
        assert self._producer.flush(timeout) == 0, "Kafka does not take what is sent"
        assert not self._failed, self._failed[:3]

    def note_sent(self) -> None:
        """Take what the topics hold for what was sent: another program has sent it."""
        for topic in self.settings.topics.inputs:
            for partition, (_, end) in topic_bounds(self.settings, topic).items():
                self.sent[topic, partition] = end

    def _note(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failed.append(str(error))

    # ---- what is stored

    def stored(self) -> dict[int, StoredShard]:
        """Partition → the always-written part of its last cut; {} where Redis does not answer."""
        found: dict[int, StoredShard] = {}
        for partition in range(PARTITIONS):
            try:
                state = self._redis.hget(ShardKeys(self.settings.app, partition).meta, "state")
            except redis.RedisError:
                return {}
            if isinstance(state, bytes) and state:
                found[partition] = read_stored(state)
        return found

    def position(self) -> dict[tuple[str, int], int]:
        """(topic, partition) → next offset by the stored cuts."""
        shards = self.stored().items()
        return {
            (name, p): topic.next for p, shard in shards for name, topic in shard.topics.items()
        }

    def lag(self) -> int:
        """Records sent that no stored cut holds yet."""
        stored = self.position()
        return sum(max(count - stored.get(tp, 0), 0) for tp, count in self.sent.items())

    def wait_counted(self, timeout: float = PATIENCE) -> float:
        """Until the cuts hold everything that was sent, and silence has closed every session."""
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
    """Settings that make tests quick; a broker allows no session shorter than 6 s."""
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
