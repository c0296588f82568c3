"""The state of the pipeline as this worker sees it: Kafka, worker, Redis, Prometheus."""

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from faust.types import TP

from stream.publish.staleness import Stale, StaleReason
from stream.web.live_alerts import AlertWatch
from stream.worker.clock import now_ms
from stream.worker.log import Log
from stream.worker.owner import ShardOwner
from stream.worker.telemetry import Telemetry

State = Literal["ok", "waiting", "bad"]
#: Longest time without a fetch: a fetch returns within a second, also without records.
_KAFKA_SILENT_SECONDS = 15.0
#: Longest time without a scrape: three of the slowest usual interval.
_SCRAPE_MISSED_SECONDS = 180.0
_MIB = 1024 * 1024


class Stage(NamedTuple):
    """One part of the pipeline, its state, and a text for people."""

    name: str
    state: State
    text: str


class Pipeline:
    """Builds the stages from memory, without waiting; called at most once per second."""

    def __init__(
        self,
        owner: ShardOwner,
        log: Log,
        telemetry: Telemetry,
        alerts: AlertWatch,
        age_seconds: Callable[[], float | None],
        age_max_seconds: float,
        stale: Callable[[], list[Stale]],
    ) -> None:
        """`stale` returns the reasons why the numbers are not live."""
        self._owner = owner
        self._log = log
        self._telemetry = telemetry
        self._alerts = alerts
        self._age_seconds = age_seconds
        self._age_max_seconds = age_max_seconds
        self._stale = stale
        self._scraped_at: float | None = None

    def note_scrape(self) -> None:
        """Note that Prometheus has just read the metrics."""
        self._scraped_at = time.monotonic()

    def stages(self) -> list[Stage]:
        """Return the stages in the order in which an event passes them."""
        return [self._kafka(), self._worker(), self._redis(), self._prometheus()]

    def _kafka(self) -> Stage:
        seen, behind = 0, 0
        for assigned in list(self._owner.assigned_shards.values()):
            if assigned.shard is None:
                continue
            for topic, state in assigned.shard.topics.items():
                end, seen_ms = self._log.read_to(TP(topic, assigned.partition))
                seen = max(seen, seen_ms or 0)
                behind += max((end or 0) - state.next, 0)
        if not seen:
            return Stage("Kafka", "waiting", "no fetch yet")
        if text := self._reason(StaleReason.BROKER_AWAY):
            return Stage("Kafka", "bad", text)
        silent = (now_ms() - seen) / 1000
        if silent > _KAFKA_SILENT_SECONDS:
            # Kafka answers, but batches wait: for Redis, or for a halted topic.
            return Stage("Kafka", "waiting", f"nothing read for {silent:.0f} s")
        text = f"{behind:,} records to read" if behind else "all records read"
        return Stage("Kafka", "ok", text)

    def _worker(self) -> Stage:
        shards = [assigned.shard for assigned in self._owner.assigned_shards.values()]
        loading = sum(shard is None for shard in shards)
        if self._owner.problem:
            return Stage("Worker", "bad", self._owner.problem)
        if loading:
            return Stage("Worker", "waiting", f"{loading} of {len(shards)} shards are being loaded")
        if not shards:
            return Stage("Worker", "waiting", "no shards yet; other workers may have them")
        age = self._age_seconds()
        if age is not None and age > self._age_max_seconds:
            return Stage("Worker", "bad", f"no new numbers for {age:.0f} s")
        return Stage(
            "Worker", "ok", f"{len(shards)} shards, {self._owner.counts.checkpoints:,} checkpoints"
        )

    def _redis(self) -> Stage:
        if text := self._reason(StaleReason.REDIS_AWAY):
            return Stage("Redis", "bad", text)
        memory = self._telemetry.redis_memory
        if not memory:
            return Stage("Redis", "waiting", "no answer about its memory")
        used = sum(node.used for node in memory.values()) / _MIB
        return Stage("Redis", "ok", f"{used:,.0f} MiB in use")

    def _reason(self, reason: StaleReason) -> str:
        """Return the text of a reason; empty if it does not hold."""
        return next((one.text for one in self._stale() if one.reason == reason), "")

    def _prometheus(self) -> Stage:
        if self._alerts.problem:
            return Stage("Prometheus", "bad", self._alerts.problem)
        if self._scraped_at is None:
            return Stage("Prometheus", "waiting", "has not scraped this worker yet")
        age = time.monotonic() - self._scraped_at
        state: State = "ok" if age <= _SCRAPE_MISSED_SECONDS else "bad"
        return Stage("Prometheus", state, f"scraped this worker {age:.0f} s ago")
