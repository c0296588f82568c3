"""A worker that is broken on purpose: it applies whatever batch comes, gap or not.

Run as `python -m tests.faults.broken_no_guard worker`. The fault tests must notice.
"""

from stream.fetch import Fetched
from stream.owned import Owned
from stream.owner import Owner
from stream.shard import Shard

_guarded = Owner._fold


def _align(
    _owner: Owner, _owned: Owned, shard: Shard, topic: str, batch: Fetched
) -> tuple[Fetched, bool]:
    """As if every batch began where the last one has ended."""
    shard.topics[topic].expected = batch.start
    return batch, False


async def _fold(owner: Owner, owned: Owned, shard: Shard, topic: str, batch: Fetched) -> None:
    """Folding looks once more whether the batch is the expected one: let it be."""
    shard.topics[topic].expected = batch.start
    await _guarded(owner, owned, shard, topic, batch)


def main() -> None:
    """The command line of the broken worker."""
    from agents.cli import main as engage

    Owner._align = _align  # type: ignore[method-assign]
    Owner._fold = _fold  # type: ignore[method-assign]
    engage()


if __name__ == "__main__":
    main()
