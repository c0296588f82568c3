"""One run under faults: traffic flows while workers are killed, frozen, or lose their state."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import redis

from tests.faults.fleet import Fleet, Record
from tests.faults.recount import differences
from tests.faults.stored import read_counts, wait_published
from tests.faults.witness import folded
from tests.faults.worker_process import PATIENCE, TimedOut, WorkerProcess, wait_until

SESSION_SECONDS = 6
#: Usual seconds of a kill and the rebalance after it.
CYCLE_SECONDS = 8.0

Fault = Callable[[], None]


@dataclass
class Evidence:
    """Faults that happened: without them, right results would prove little."""

    #: For each kill: records in the log but in no checkpoint, and those of them that the victim had
    #: folded.
    lags: list[int] = field(default_factory=list)
    destroyed: list[int] = field(default_factory=list)
    freezes: int = 0
    flushes: int = 0
    refused: float = 0
    differences: list[str] = field(default_factory=list)


class Feeder(threading.Thread):
    """Sends the records at a pace that lasts for all faults."""

    def __init__(self, fleet: Fleet, records: Sequence[Record], faults: int) -> None:
        super().__init__(daemon=True)
        self._fleet, self._records = fleet, records
        self._lock = threading.Lock()
        self._faults_left = faults
        self._halt = threading.Event()
        self.error: BaseException | None = None

    def fault_done(self) -> None:
        """Count one fault as done; after the last one everything is sent at once."""
        with self._lock:
            self._faults_left -= 1

    def halt(self) -> None:
        """Stop sending: the test has failed elsewhere."""
        self._halt.set()

    def run(self) -> None:
        try:
            self._feed()
        except BaseException as error:
            self.error = error

    def _feed(self) -> None:
        sent = 0
        while sent < len(self._records) and not self._halt.is_set():
            left = len(self._records) - sent
            with self._lock:
                seconds = self._faults_left * CYCLE_SECONDS
            # Keep a little for every remaining fault, so that the last one meets traffic too.
            count = max(int(left * 0.1 / seconds), 1) if seconds > 0 else left
            self._fleet.produce(self._records[sent : sent + count])
            sent += count
            time.sleep(0.1)


class Scenario:
    """Faults in a seeded order at seeded moments; afterwards everything is compared."""

    def __init__(self, fleet: Fleet, redis_url: str, records: Sequence[Record], seed: int) -> None:
        self._fleet, self._records = fleet, records
        self._redis_url = redis_url
        self._rng = random.Random(seed)
        self.evidence = Evidence()

    def mixed(self, *, kills: int = 0, freezes: int = 0, flushes: int = 0) -> list[Fault]:
        """Return the given number of faults of each kind, in a seeded order."""
        faults = [self.kill] * kills + [self.freeze] * freezes + [self.flush] * flushes
        self._rng.shuffle(faults)
        return faults

    def run(self, faults: Sequence[Fault], patience: float = PATIENCE) -> Evidence:
        """Start the fleet, inject the faults while traffic flows, wait for the counts, and compare."""
        feeder = Feeder(self._fleet, self._records, len(faults))
        self._fleet.create_topics().start()
        feeder.start()
        try:
            for fault in faults:
                self._meet_traffic()
                fault()
                feeder.fault_done()
        except BaseException:
            feeder.halt()
            raise
        finally:
            feeder.join(120)
        assert feeder.error is None, feeder.error
        self._compare(patience)
        return self.evidence

    def _compare(self, patience: float) -> None:
        """Compare the stored and the published numbers with the sent records."""
        wrong = self.evidence.differences
        try:
            self._fleet.wait_counted(patience)
        except TimedOut as error:
            wrong.append(str(error))
        wrong += differences(self._fleet, read_counts(self._fleet.settings), self._records)
        if not wrong:
            snapshot = wait_published(self._fleet).snapshot
            assert snapshot is not None
            assert snapshot.unaccounted == 0

    def _meet_traffic(self) -> None:
        """Wait until the workers have made progress since the last fault, and then for a random time."""
        before = sum(self._fleet.position().values())
        wait_until(
            "the workers continue to count", lambda: sum(self._fleet.position().values()) > before
        )
        time.sleep(self._rng.uniform(0.0, 2.0))

    # ---- faults

    def kill(self) -> None:
        """Kill one worker with SIGKILL; it starts again at once."""
        victim = self._victim()
        pid = victim.kill9()
        # A dead worker cannot store any more: everything folded beyond this is lost.
        stored = self._fleet.position()
        self.evidence.lags.append(self._fleet.lag())
        held: dict[tuple[str, int], int] = {}
        for one in folded(self._fleet.directory / "folded.txt"):
            if one.pid == pid:
                held[one.topic, one.partition] = one.end
        lost = sum(max(end - stored.get(tp, 0), 0) for tp, end in held.items())
        self.evidence.destroyed.append(lost)
        victim.start()

    def freeze(self) -> None:
        """Freeze a worker for one and a half sessions, so that it loses its shards, and resume it."""
        victim = self._victim()
        victim.pause()
        time.sleep(1.5 * SESSION_SECONDS)
        before = sum(self._fleet.position().values())
        wait_until(
            "the other worker continues", lambda: sum(self._fleet.position().values()) > before
        )
        victim.resume()
        self.evidence.freezes += 1
        time.sleep(2.0)
        names = ("engagement_worker_cuts_fenced_total", "engagement_worker_cuts_conflicting_total")
        self.evidence.refused += sum(victim.value(name) for name in names)

    def flush(self) -> None:
        """Delete everything in Redis."""
        with redis.Redis.from_url(self._redis_url) as client:
            client.flushall()
        self.evidence.flushes += 1

    def _victim(self) -> WorkerProcess:
        """Return a running worker with shards; sometimes any running one, even one just starting."""
        running = [worker for worker in self._fleet.workers if worker.running]
        if self._rng.random() < 0.8:
            running = [worker for worker in running if worker.partitions()] or running
        return self._rng.choice(running)
