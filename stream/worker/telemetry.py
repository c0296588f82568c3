"""What a worker says about itself: lag, cuts, fences, latency. Never summed up into product numbers."""

import time
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from faust.types import TP
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)

from stream.store.memory import Memory
from stream.store.shards import Claim
from stream.worker.assigned_shard import AssignedShard, Log
from stream.worker.dead_letters import DeadLetterSender
from stream.worker.owner import ShardOwner

PREFIX = "engagement_worker_"
#: Upper edges in seconds, around the promise of 1.5 s from event to visible.
_LATENCY_EDGES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class LatencyHistogram:
    """How long after the newest event of a cut its numbers were visible in the snapshot."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_LATENCY_EDGES) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one snapshot's delay."""
        bucket = next((i for i, edge in enumerate(_LATENCY_EDGES) if seconds <= edge), -1)
        self._counts[bucket] += 1
        self._sum += seconds

    def family(self) -> HistogramMetricFamily:
        """As Prometheus wants it: cumulative."""
        cumulative, total = [], 0
        for edge, count in zip((*map(str, _LATENCY_EDGES), "+Inf"), self._counts, strict=True):
            total += count
            cumulative.append((edge, total))
        return HistogramMetricFamily(
            "engagement_event_to_visible_seconds",
            "From the newest event's time to the snapshot that holds it, while traffic flows.",
            buckets=cumulative,
            sum_value=self._sum,
        )


class Telemetry:
    """The worker's own families."""

    def __init__(self, owner: ShardOwner, log: Log, dead_letters: DeadLetterSender) -> None:
        self._owner = owner
        self._log = log
        self._dead_letters = dead_letters
        self.latency = LatencyHistogram()
        self.snapshot_failures = 0
        self.records_published = 0
        self._started = time.time()
        #: Server → memory, as it was seen last.
        self.redis_memory: Mapping[str, Memory] = {}
        #: Of shards that are counted anew: the claim, and where their topics ended at first sight.
        self._anew: dict[int, tuple[Claim, dict[str, int]]] = {}

    def collect(self) -> Iterator[Family]:
        """All families of this worker."""
        yield _build_info()
        yield self._lag()
        yield self.latency.family()
        counts = self._owner.counts
        for name, text, value in (
            ("assignments", "Rebalances that gave this worker its partitions.", counts.assignments),
            ("cuts", "Cuts stored.", counts.checkpoints),
            ("cut_duration_seconds", "Time spent storing cuts.", counts.checkpoint_seconds_sum),
            ("cuts_fenced", "Cuts refused because another worker owns the shard.", counts.fenced),
            ("cuts_conflicting", "Cuts refused because Redis held another position.",
             counts.conflicts),
            ("state_lost", "Shards whose state was gone from Redis.", counts.state_lost),
            ("store_errors", "Failures to read from or write to Redis.", counts.store_errors),
            ("rewinds", "Times that reading went back to close a gap.", counts.rewinds),
            ("batches_dropped", "Batches of shards that were not this worker's any more.",
             counts.batches_dropped),
            ("retention_lost_records", "Records that retention deleted before they were counted.",
             counts.retention_lost),
            ("records_before_beginning", "Records gone from the log when a shard began to count.",
             counts.never_seen),
            ("ledger_entries_sent", "Ledger entries that reached Kafka.", self._dead_letters.entries_sent),
            ("publish_failures", "Failures to publish.",
             self.snapshot_failures + self._dead_letters.failures),
            ("metric_records_published", "Metric records that reached Kafka.",
             self.records_published),
        ):  # fmt: skip
            yield CounterMetricFamily(PREFIX + name, text, value=value)
        text = "Cuts whose ledger entries are not in Kafka yet."
        yield GaugeMetricFamily(PREFIX + "ledger_backlog", text, value=self._dead_letters.backlog)
        shards = sum(
            assigned.shard is not None for assigned in self._owner.assigned_shards.values()
        )
        yield GaugeMetricFamily(PREFIX + "shards", "Shards in this worker's hands.", value=shards)
        rebuilding = sum(map(self._is_rebuilding, list(self._owner.assigned_shards.values())))
        text = "Shards that are being loaded, or read again from Kafka."
        yield GaugeMetricFamily(PREFIX + "shards_rebuilding", text, value=rebuilding)
        yield self._dimension_fill()
        yield from self._redis_memory()

    def _is_rebuilding(self, assigned: AssignedShard) -> bool:
        """Not loaded yet, still recalling event ids, or counted anew and not yet where others were.

        A shard that is counted anew is done when it has passed what the log held at first sight:
        under steady traffic it would never be seen without any lag.
        """
        shard, claim = assigned.shard, assigned.claim
        if shard is None or claim is None:
            return True
        if any(state.expected < state.next for state in shard.topics.values()):
            return True
        if not claim.is_new:
            return False
        known = self._anew.get(assigned.partition)
        if known is None or known[0] is not claim:
            ends = {t: self._log.read_to(TP(t, assigned.partition))[0] for t in shard.topics}
            seen = {topic: end for topic, end in ends.items() if end is not None}
            if len(seen) < len(ends):
                return True
            known = self._anew[assigned.partition] = (claim, seen)
        return any(shard.topics[topic].next < end for topic, end in known[1].items())

    def _dimension_fill(self) -> Family:
        """The fullest of this worker's shards: each keeps its own list of values."""
        fill: dict[tuple[str, str], float] = {}
        for assigned in list(self._owner.assigned_shards.values()):
            if assigned.shard is not None:
                for site, dimension, share in assigned.shard.registry.fill():
                    fill[site, dimension] = max(share, fill.get((site, dimension), 0.0))
        family = GaugeMetricFamily(
            PREFIX + "dimension_fill_ratio",
            "Values of a dimension, of those it may have; at 1, new ones are counted as other.",
            labels=["site", "dimension"],
        )
        for names, share in fill.items():
            family.add_metric(names, share)
        return family

    def _redis_memory(self) -> Iterator[Family]:
        used = GaugeMetricFamily(
            "engagement_redis_memory_used_bytes", "Memory that Redis uses.", labels=["node"]
        )
        limit = GaugeMetricFamily(
            "engagement_redis_memory_max_bytes", "Its maxmemory; 0 is no limit.", labels=["node"]
        )
        for node, memory in self.redis_memory.items():
            used.add_metric((node,), memory.used)
            limit.add_metric((node,), memory.limit)
        yield from (used, limit)

    def _lag(self) -> Family:
        family = GaugeMetricFamily(
            PREFIX + "lag_records",
            "Records that are not counted yet.",
            labels=["topic", "partition"],
        )
        for assigned in list(self._owner.assigned_shards.values()):
            if assigned.shard is None:
                continue
            for topic, state in assigned.shard.topics.items():
                end, _ = self._log.read_to(TP(topic, assigned.partition))
                if end is not None:
                    lag = max(end - state.next, 0)
                    family.add_metric((topic, str(assigned.partition)), lag)
        return family


def _build_info() -> Family:
    try:
        release = version("engagement-stream")
    except PackageNotFoundError:
        release = "source"
    family = GaugeMetricFamily("engagement_build_info", "The running version.", labels=["version"])
    family.add_metric((release,), 1)
    return family
