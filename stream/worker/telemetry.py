"""The operational metrics of one worker: lag, checkpoints, failures, latency, memory of Redis."""

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from faust.types import TP
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.core import Metric as Family

from stream.metrics.families import FAMILIES
from stream.store.memory import Memory
from stream.worker.assigned_shard import AssignedShard
from stream.worker.dead_letters import DeadLetterSender
from stream.worker.exposition import with_value, without_samples
from stream.worker.log import Log
from stream.worker.owner import ShardOwner
from stream.worker.process.event_loop import LoopLag
from stream.worker.staleness.rebuilding import is_rebuilding

_PREFIX = "engagement_worker_"
#: Upper edges in seconds, around the promise of 1.5 s from event to visible.
_LATENCY_EDGES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class LatencyHistogram:
    """Delays from the newest event of a snapshot to the snapshot itself."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_LATENCY_EDGES) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count the delay of one snapshot."""
        bucket = next((i for i, edge in enumerate(_LATENCY_EDGES) if seconds <= edge), -1)
        self._counts[bucket] += 1
        self._sum += seconds

    def family(self) -> HistogramMetricFamily:
        """Build the family; its buckets are cumulative, as Prometheus requires."""
        cumulative, total = [], 0
        for edge, count in zip((*map(str, _LATENCY_EDGES), "+Inf"), self._counts, strict=True):
            total += count
            cumulative.append((edge, total))
        family = FAMILIES["engagement_event_to_visible_seconds"]
        return HistogramMetricFamily(
            family.name, family.help, buckets=cumulative, sum_value=self._sum
        )


class Telemetry:
    """Builds the worker's own families at each scrape. Other parts write their counts here."""

    def __init__(self, owner: ShardOwner, log: Log, dead_letters: DeadLetterSender) -> None:
        self._owner = owner
        self._log = log
        self._dead_letters = dead_letters
        self.latency = LatencyHistogram()
        self.loop_lag = LoopLag()
        self.snapshot_failures = 0
        self.records_published = 0
        #: Redis server → memory at the last look; empty while it is unknown.
        self.redis_memory: Mapping[str, Memory] = {}

    def note_memory(self, memory: Mapping[str, Memory]) -> None:
        """Keep the memory of each Redis server."""
        self.redis_memory = memory

    def collect(self) -> Iterator[Family]:
        """Yield all families of this worker."""
        yield _build_info()
        yield self._lag()
        yield self.latency.family()
        counts = self._owner.counts
        for name, value in (
            ("assignments", counts.assignments),
            ("cuts", counts.checkpoints),
            ("cut_duration_seconds", counts.checkpoint_seconds_sum),
            ("cuts_fenced", counts.fenced),
            ("cuts_conflicting", counts.conflicts),
            ("state_lost", counts.state_lost),
            ("store_errors", counts.store_errors),
            ("rewinds", counts.rewinds),
            ("batches_dropped", counts.batches_dropped),
            ("retention_lost_records", counts.retention_lost),
            ("records_before_beginning", counts.never_seen),
            ("sessions_across_ids", counts.sessions_across_ids),
            ("carts_across_ids", counts.carts_across_ids),
            ("ledger_entries_sent", self._dead_letters.entries_sent),
            ("publish_failures", self.snapshot_failures + self._dead_letters.failures),
            ("metric_records_published", self.records_published),
            ("ledger_backlog", self._dead_letters.backlog),
            ("shards", sum(assigned.shard is not None for assigned in self._assigned())),
            ("shards_rebuilding", sum(map(is_rebuilding, self._assigned()))),
            ("loop_lag_seconds", self.loop_lag.seconds),
        ):
            yield with_value(FAMILIES[_PREFIX + name], value)
        yield self._heaviest()
        yield self._dimension_fill()
        yield self._cap_fill()
        yield from self._redis_memory()

    def _assigned(self) -> list[AssignedShard]:
        return list(self._owner.assigned_shards.values())

    def _heaviest(self) -> Family:
        family = without_samples(FAMILIES[_PREFIX + "heaviest_person_ratio"])
        for person in self._owner.heaviest():
            family.add_metric((str(person.partition),), person.ratio)
        return family

    def _dimension_fill(self) -> Family:
        """Return the fill of the fullest shard: each shard keeps its own list of values."""
        fill: dict[tuple[str, str], float] = {}
        for assigned in self._assigned():
            if assigned.shard is not None:
                for site, dimension, share in assigned.shard.registry.values.fills():
                    fill[site, dimension] = max(share, fill.get((site, dimension), 0.0))
        family = without_samples(FAMILIES[_PREFIX + "dimension_fill_ratio"])
        for names, share in fill.items():
            family.add_metric(names, share)
        return family

    def _cap_fill(self) -> Family:
        """Return the fill of the fullest shard for each cap of the registry."""
        fill: dict[str, float] = {}
        for assigned in self._assigned():
            if assigned.shard is not None:
                for cap, share in assigned.shard.registry.cap_fills():
                    fill[cap] = max(share, fill.get(cap, 0.0))
        family = without_samples(FAMILIES[_PREFIX + "cap_fill_ratio"])
        for cap, share in fill.items():
            family.add_metric((cap,), share)
        return family

    def _redis_memory(self) -> Iterator[Family]:
        used = without_samples(FAMILIES["engagement_redis_memory_used_bytes"])
        limit = without_samples(FAMILIES["engagement_redis_memory_max_bytes"])
        for node, memory in self.redis_memory.items():
            used.add_metric((node,), memory.used)
            limit.add_metric((node,), memory.limit)
        yield from (used, limit)

    def _lag(self) -> Family:
        family = without_samples(FAMILIES[_PREFIX + "lag_records"])
        for assigned in self._assigned():
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
    family = without_samples(FAMILIES["engagement_build_info"])
    family.add_metric((release,), 1)
    return family
