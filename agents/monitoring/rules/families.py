"""The families that the exporter serves, and how each becomes one number although every worker has it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal

from prometheus_client.core import Metric

from stream.metrics.catalogue import catalogue
from stream.publish.snapshot import Snapshot
from stream.settings.application import Settings
from stream.web.exporter import SnapshotCollector
from stream.worker.assigned_shard import OwnerCounts
from stream.worker.telemetry import Telemetry

Aggregation = Literal["max", "sum", "count"]
#: How the gauges of single workers add up. What two workers may both say is taken once: during a
#: hand-over both name the lag of a partition. Each shard is in one worker's hands, so shards add up.
WORKER_GAUGES: dict[str, Aggregation] = {
    "engagement_build_info": "count",
    "engagement_redis_memory_max_bytes": "max",
    "engagement_redis_memory_used_bytes": "max",
    "engagement_worker_dimension_fill_ratio": "max",
    "engagement_worker_lag_records": "max",
    "engagement_worker_ledger_backlog": "sum",
    "engagement_worker_shards": "sum",
    "engagement_worker_shards_rebuilding": "sum",
}
_LEVELS = (
    ("dimension", "segment"), ("site", "site"), ("partition", "partition"), ("node", "node"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Family:
    """One family of the page, as far as rules are concerned."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    #: From the shared snapshot: every worker serves the same number.
    is_shared: bool
    aggregation: Aggregation
    #: What the page says about it.
    help: str = ""

    @property
    def level(self) -> str:
        """The first part of a rule's name: what one series of it is about."""
        for label, level in _LEVELS:
            if label in self.labels:
                return level
        return "job"

    @property
    def series(self) -> str:
        """The name of its samples, which for a counter ends with _total."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


def exported_families(settings: Settings) -> list[Family]:
    """Everything under our prefix that a worker's page can hold.

    Raises LookupError for a gauge of single workers of which nobody has said how it adds up.
    """
    empty = Snapshot(
        taken_ms=1 << 52,  # Far ahead, so that it is not withheld for its age.
        newest_ms=0,
        watermark_ms=0,
        revision=0,
        gauges=[],
        counts=[],
        outcomes={},
        reasons={},
        unaccounted=0,
        shards=[],
    )
    shared = SnapshotCollector(catalogue(settings), lambda: empty, 1.0, telemetry=tuple)
    own = [_family(family, is_shared=False) for family in _of_an_idle_worker()]
    return [_family(family, is_shared=True) for family in shared.collect()] + own


def _of_an_idle_worker() -> Iterator[Metric]:
    """What a worker says that has nothing in its hands: all names, no numbers."""
    idle: Any = SimpleNamespace(
        counts=OwnerCounts(), assigned_shards={}, entries_sent=0, failures=0, backlog=0
    )
    families: Iterable[Metric] = Telemetry(owner=idle, log=idle, dead_letters=idle).collect()
    yield from families


def _family(family: Metric, *, is_shared: bool) -> Family:
    kind: Any = family.type
    labels = tuple(getattr(family, "_labelnames", ()))
    aggregation: Aggregation = "max" if is_shared else "sum"
    if kind == "gauge" and not is_shared:
        if family.name not in WORKER_GAUGES:
            raise LookupError(
                f"nobody has said how {family.name} of several workers adds up: enter it in "
                "WORKER_GAUGES of agents/monitoring/rules/families.py"
            )
        aggregation = WORKER_GAUGES[family.name]
    return Family(family.name, kind, labels, is_shared, aggregation, family.documentation)
