"""True numbers at each moment: visitors who come one after the other, and every snapshot of them."""

import json
import threading
import time
from typing import NamedTuple

import redis

from stream.metrics.catalogue import catalogue
from stream.publish.snapshot import Snapshot, decode_snapshot
from stream.settings.application import Settings
from stream.store import keys
from stream.web.exporter import SnapshotCollector
from tests.faults.fleet import PARTITIONS, Fleet, Record
from tests.staleness import LIVE

#: Name and labels of a sample, without the labels of a worker.
Series = tuple[str, frozenset[tuple[str, str]]]
COUNTRIES = ("DE", "FR", "US")
_PAUSE_SECONDS = 0.1
_LOOK_SECONDS = 0.04


class Sent(NamedTuple):
    """Number of visitors sent by a moment, including those still on their way."""

    at: float
    visitors: int


class Visitors(threading.Thread):
    """Five new people every tenth of a second with one page each: people, pages and events are equal."""

    def __init__(self, fleet: Fleet, start_ms: int) -> None:
        super().__init__(daemon=True)
        self._fleet, self._start_ms = fleet, start_ms
        self._halt = threading.Event()
        self.records: list[Record] = []
        self.sent: list[Sent] = []

    def run(self) -> None:
        while not self._halt.wait(_PAUSE_SECONDS):
            more = [self._visitor(len(self.records) + i) for i in range(5)]
            self.records += more
            self.sent.append(Sent(time.time(), len(self.records)))
            self._fleet.produce(more)

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        self.join(60)

    def by(self, at: float) -> int:
        """Return the number of visitors sent by a moment at the latest."""
        return max((sent.visitors for sent in self.sent if sent.at <= at), default=0)

    def _visitor(self, number: int) -> Record:
        event = {
            "type": "page_view", "page_url": f"/{number % 3}", "event_id": f"e{number}",
            "event_time": self._start_ms + number, "visitor_id": f"v{number}",
            "context": {"country": COUNTRIES[number % 3]},
        }  # fmt: skip
        return Record("page_views", number % PARTITIONS, b"key", json.dumps(event).encode())


class SnapshotLog(threading.Thread):
    """Reads the published snapshot from Redis, without a worker, as often as it can change."""

    def __init__(self, fleet: Fleet, redis_url: str) -> None:
        super().__init__(daemon=True)
        self._client = redis.Redis.from_url(redis_url)
        self._key = keys.snapshot(fleet.settings.app)
        self._halt = threading.Event()
        #: Time of the snapshot, in ms → the snapshot.
        self.taken: dict[int, Snapshot] = {}

    def run(self) -> None:
        last = None
        while not self._halt.wait(_LOOK_SECONDS):
            raw = self._client.get(self._key)
            if isinstance(raw, bytes) and raw != last:
                last, snapshot = raw, decode_snapshot(raw)
                self.taken[snapshot.taken_ms] = snapshot

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        self.join(60)
        self._client.close()


def samples(settings: Settings, snapshot: Snapshot) -> dict[Series, float]:
    """Return the samples that a worker with this snapshot shows."""
    shown = SnapshotCollector(catalogue(settings), lambda: snapshot, LIVE, telemetry=tuple)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in shown.collect()
        for sample in family.samples
    }
