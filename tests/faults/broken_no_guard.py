"""A worker that is broken on purpose: it applies whatever batch comes, gap or not.

Run as `python -m tests.faults.broken_no_guard worker`. The fault tests must notice.
"""

from stream.engine.shard import Shard
from stream.kafka.fetch import Fetched
from stream.worker.assigned_shard import AssignedShard
from stream.worker.intake import BatchIntake

_guarded = BatchIntake._fold


def _align(
    _intake: BatchIntake, _owned: AssignedShard, shard: Shard, topic: str, batch: Fetched
) -> tuple[Fetched, bool]:
    """As if every batch began where the last one has ended."""
    shard.topics[topic].expected = batch.start
    return batch, False


async def _fold(
    intake: BatchIntake, assigned: AssignedShard, shard: Shard, topic: str, batch: Fetched
) -> None:
    """Folding looks once more whether the batch is the expected one: let it be."""
    shard.topics[topic].expected = batch.start
    await _guarded(intake, assigned, shard, topic, batch)


def main() -> None:
    """The command line of the broken worker."""
    from agents.cli.main import main as engage

    BatchIntake._align = _align  # type: ignore[assignment, method-assign]
    BatchIntake._fold = _fold  # type: ignore[assignment, method-assign]
    engage()


if __name__ == "__main__":
    main()
