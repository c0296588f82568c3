"""Broken worker: it applies every batch, with or without a gap.

Run as `python -m tests.faults.broken_no_guard worker`. The fault tests must notice.
"""

from stream.kafka.fetch import Fetched
from stream.worker.assigned_shard import AssignedShard, LoadedShard
from stream.worker.contiguity import ContiguityGuard
from stream.worker.intake import Intake

_guarded = Intake._fold


def _align(guard: ContiguityGuard, topic: str, batch: Fetched) -> Fetched:
    """Align the shard with the batch, as if it began where the last one ended."""
    guard._shard.topics[topic].expected = batch.start
    return batch


async def _fold(
    intake: Intake, assigned: AssignedShard, loaded: LoadedShard, topic: str, batch: Fetched
) -> None:
    """Set the expected offset to the batch's, since folding checks it again."""
    loaded.shard.topics[topic].expected = batch.start
    await _guarded(intake, assigned, loaded, topic, batch)


def main() -> None:
    """Run the command line of the broken worker."""
    from agents.cli.main import main as engage

    ContiguityGuard.align = _align  # type: ignore[assignment, method-assign]
    Intake._fold = _fold  # type: ignore[assignment, method-assign]
    engage()


if __name__ == "__main__":
    main()
