"""Hostile traffic beside good one, and a watch over the worker that counts it: answers, scrapes, memory."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self
from zlib import crc32

import yaml

from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.faults.worker_process import WorkerProcess, wait_until

WORKERS_FILE = Path(__file__).parents[2] / "deploy" / "kubernetes" / "base" / "workers.yaml"
GOOD = "good"
START_MS = 1_740_787_200_000
#: The sites are named: which ones come first depends on the topic that is read first.
SETTINGS = {"SITES": json.dumps({GOOD: {}, "desk": {}})}
_UNITS = {"Mi": 1 << 20, "Gi": 1 << 30}


def pod_limit() -> int:
    """Return the bytes of memory that the shipped manifest allows a worker."""
    [text] = [
        container["resources"]["limits"]["memory"]
        for document in yaml.safe_load_all(WORKERS_FILE.read_text("utf-8"))
        if document["kind"] in ("Deployment", "StatefulSet")
        for container in document["spec"]["template"]["spec"]["containers"]
    ]
    return int(text[:-2]) * _UNITS[text[-2:]]


def traffic(number: int) -> Iterator[Record]:
    """Yield `number` events: one of ten is good; the others invent sites, values, ids, or are all one guest's."""
    for n in range(number):
        is_good = n % 10 == 0
        role, key, fields = _good(n) if is_good else _hostile(n)
        event = {"event_id": f"e{n}", "event_time": START_MS + n * 20, **fields}
        value = json.dumps(event).encode()
        yield Record(role, crc32(key.encode()) % PARTITIONS, key.encode(), value)


def good_events(number: int) -> int:
    """Return the number of page views of the good site in `traffic(number)`."""
    return sum(n % 10 == 0 for n in range(number))


def _good(n: int) -> tuple[str, str, dict[str, Any]]:
    person = f"p{n % 500}"
    return "page_views", person, {
        "type": "page_view", "site": GOOD, "user_id": person, "page_url": f"https://shop.example/{n % 20}",
        "context": {"country": "DE", "device": "phone"},
    }  # fmt: skip


def _hostile(n: int) -> tuple[str, str, dict[str, Any]]:
    key = f"h{n}"
    invented: dict[str, Any] = {
        "site": f"site-{n}-{'x' * 40}", "user_id": key, "session_id": f"s{n}",
        "context": {"country": f"c{n}", "device": f"d{n}" * 20, "channel": f"k{n}", "junk": "j" * 200},
    }  # fmt: skip
    guest = {"user_id": "every guest", "session_id": f"s{n}", "site": "desk"}
    kinds: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("page_views", key, {"type": "page_view", "page_url": f"https://x.example/{n}/{'y' * 500}"}),
        ("page_views", key, {"type": "page_view", "site": "desk", "page_url": f"https://x.example/{n}"}),
        ("clicks", key, {"type": "impression", "content_id": f"c{n}"}),
        ("clicks", key, {"type": "feature_used", "feature": f"f{n}"}),
        ("orders", key, {"type": "goal", "name": f"goal {n}"}),
        ("social", key, {"type": "social_engagement", "post_id": f"p{n}", "network": f"n{n}", "kind": "like"}),
        ("orders", "guest", {"type": "order", "order_id": f"o{n}", "revenue": 1, **guest}),
        ("feedback", "guest", {
            "type": "ticket_message", "ticket_id": "t", "direction": ("incoming", "outgoing")[n % 2],
            **guest, "session_id": None,
        }),
        ("page_views", "guest", {"type": "page_view", "page_url": "/", **guest}),
    )  # fmt: skip
    role, key, fields = kinds[n % 10 - 1]
    return role, key, {**invented, **fields}


class Seen(NamedTuple):
    """Observations of a watch: seconds of each answer, the pages, and the most memory in bytes."""

    answers: list[float]
    scrapes: list[float]
    samples: int
    memory: int


class Watch:
    """Asks a worker for /healthz ten times a second and for /metrics every two seconds, until closed."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker
        self._is_over = threading.Event()
        self.answers: list[float] = []
        self.scrapes: list[float] = []
        self.samples = 0
        self._threads = [
            threading.Thread(target=self._ask, args=("/healthz", 0.1, self.answers)),
            threading.Thread(target=self._ask, args=("/metrics", 2.0, self.scrapes)),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def seen(self) -> Seen:
        """Return what was seen so far."""
        status = Path(f"/proc/{self._worker.pid}/status").read_text("utf-8")
        [peak] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        return Seen(list(self.answers), list(self.scrapes), self.samples, int(peak) * 1024)

    def _ask(self, path: str, every: float, into: list[float]) -> None:
        while not self._is_over.wait(every):
            began = time.monotonic()
            try:
                address = f"http://127.0.0.1:{self._worker.port}{path}"
                with urllib.request.urlopen(address, timeout=120) as answer:
                    page = answer.read()
            except OSError as error:
                if isinstance(getattr(error, "reason", None), ConnectionRefusedError):
                    continue  # It does not listen yet.
                if not self._worker.running:
                    return
                raise
            into.append(time.monotonic() - began)
            if path == "/metrics":
                self.samples = max(
                    self.samples, sum(line[:1] not in b"#" for line in page.splitlines())
                )


def count(fleet: Fleet, number: int, timeout: float) -> Seen:
    """Send the traffic, let the fleet's one worker count all of it, and return what was seen meanwhile."""
    fleet.create_topics()
    fleet.produce(traffic(number))
    fleet.flush()
    [worker] = fleet.workers
    with Watch(worker.start()) as watch:
        wait_until("all that was sent is counted", lambda: fleet.lag() == 0, timeout)
        known = len(watch.scrapes)
        wait_until("it is scraped after that", lambda: len(watch.scrapes) >= known + 5, timeout)
        return watch.seen()
