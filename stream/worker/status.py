"""State that outlives the shards of a worker: counts, and whether the worker can go on."""

from dataclasses import dataclass, field

from stream.publish.log_identity import Mismatch
from stream.publish.staleness import StaleReason
from stream.worker.staleness.holds import Holds

#: Reasons for which counting stops until the worker is started again: log and counts do not belong
#: together. The value says whether what is in memory still belongs to what is stored.
HALTING = {
    StaleReason.PARTITIONS_CHANGED: True,
    StaleReason.OTHER_CLUSTER: False,
    StaleReason.TOPIC_REPLACED: False,
}


@dataclass(slots=True)
class OwnerCounts:
    """Counts of a shard owner's events, for the operational metrics."""

    checkpoints: int = 0
    #: Rebalances that assigned partitions to this worker.
    assignments: int = 0
    fenced: int = 0
    conflicts: int = 0
    state_lost: int = 0
    store_errors: int = 0
    rewinds: int = 0
    retention_lost: int = 0
    #: Records that retention had deleted before this worker began to count their shard.
    never_seen: int = 0
    checkpoint_seconds_sum: float = 0.0
    batches_dropped: int = 0
    #: Sessions and carts whose events carry several person ids, as far as one shard sees them.
    sessions_across_ids: int = 0
    carts_across_ids: int = 0

    def note_lost_shard(self, answer: str) -> None:
        """Count a shard that starts over, by Redis' answer; empty if Redis or Kafka failed."""
        self.fenced += answer == "FENCED"
        self.conflicts += answer == "CONFLICT"
        self.store_errors += not answer


@dataclass(slots=True)
class OwnerStatus:
    """Whether the worker still takes batches, the failure that ends it, and the counts so far."""

    counts: OwnerCounts = field(default_factory=OwnerCounts)
    #: True once the worker stops: a batch folded now would be folded again by the next owner.
    is_closing: bool = False
    #: The failure that no retry can mend; the worker exits with it.
    fatal: Exception | None = None
    problem: str = ""
    #: Reasons why this worker's numbers are not live.
    reasons: Holds = field(default_factory=Holds)

    @property
    def is_halted(self) -> bool:
        """Whether shards take no batches until the worker is started again."""
        return any(reason in self.reasons for reason in HALTING)

    @property
    def may_store(self) -> bool:
        """Whether a last checkpoint may be stored."""
        return all(stores or reason not in self.reasons for reason, stores in HALTING.items())

    def halt(self, mismatch: Mismatch) -> None:
        """Stop counting until the worker is started again."""
        self.reasons.hold(mismatch.reason, mismatch.text)

    def fail(self, error: Exception, problem: str) -> None:
        """Note a failure that ends the worker."""
        self.fatal, self.problem = error, problem
