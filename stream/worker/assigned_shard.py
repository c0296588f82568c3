"""A shard in a worker's hands: what is known of it, and what its owner asks of the log."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from faust.types import TP

from stream.engine.shard import Shard
from stream.engine.watermark import IdleHold
from stream.store.shards import Claim
from stream.worker.loading import Bounds
from stream.worker.rejection_limit import RejectionLimit


class Log(Bounds, Protocol):
    """What the owner asks of Kafka."""

    async def rewind(self, offsets: Mapping[TP, int]) -> None:
        """Read on from these offsets."""

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        """Tell lag tools how far the cuts are."""

    def read_to(self, tp: TP) -> tuple[int | None, int | None]:
        """(end of the log, epoch ms at which that was seen)."""


@dataclass(slots=True)
class AssignedShard:
    """A shard in this worker's hands. `shard` is None while it is lost and not yet reclaimed."""

    partition: int
    shard: Shard | None = None
    claim: Claim | None = None
    #: Position of the last stored cut.
    position: str = ""
    stored_watermark: int | None = None
    #: Set while the shard can take batches; waiters look again when it changes hands.
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: Gap last sought back to, by topic: a gap that stays is real.
    sought: dict[str, int] = field(default_factory=dict)
    drained_since: dict[str, int] = field(default_factory=dict)
    idle_hold: IdleHold = field(default_factory=IdleHold)
    #: Topic → (next expected offset, monotonic seconds since when it is that), while the log has more.
    stalled: dict[str, tuple[int, float]] = field(default_factory=dict)
    limits: dict[str, RejectionLimit] = field(default_factory=dict)
    #: Topics whose records were nearly all rejected: they are not read any further.
    halted: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """A shard has just been loaded: batches may come."""
        assert self.shard is not None and self.claim is not None
        self.position = self.claim.position
        self.stored_watermark = self.shard.watermark
        self.sought.clear()
        self.drained_since.clear()
        self.stalled.clear()
        self.limits.clear()
        self.halted.clear()
        self.ready.set()


@dataclass(slots=True)
class OwnerCounts:
    """What the owner has met, for the operational metrics."""

    checkpoints: int = 0
    #: Times that Kafka has said which partitions are this worker's.
    assignments: int = 0
    fenced: int = 0
    conflicts: int = 0
    state_lost: int = 0
    store_errors: int = 0
    rewinds: int = 0
    retention_lost: int = 0
    #: Offsets before the first one of logs that began to be counted by this worker.
    never_seen: int = 0
    checkpoint_seconds_sum: float = 0.0
    batches_dropped: int = 0


def now_ms() -> int:
    """Wall clock in epoch ms."""
    return time.time_ns() // 1_000_000
