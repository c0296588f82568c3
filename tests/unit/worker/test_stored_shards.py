"""Stored checkpoints as a publisher sees them: shards that have less than before."""

from stream.engine.stored.shard import StoredShard, StoredTopic
from stream.worker.stored_shards import ReachedOffsets, StoredShards


def stored(offset: int, *, goal: int = 0, is_recount: bool = False) -> StoredShard:
    topic = StoredTopic(0, offset, 0, 0, 0, {}, {}, goal)
    return StoredShard({"clicks": topic}, None, 0, 0, 0, 0, 0, None, is_recount)


def test_a_shard_lacks_what_it_had_until_its_log_is_read_to_there_again() -> None:
    reached = ReachedOffsets()
    assert reached.lacking("", {0: stored(10), 1: stored(5)}) == set()
    assert reached.lacking("", {1: stored(6)}) == {0}
    assert reached.lacking("", {0: stored(9), 1: stored(6)}) == {0}
    assert reached.lacking("", {0: stored(10), 1: stored(6)}) == set()


def test_another_generation_has_offsets_of_its_own() -> None:
    reached = ReachedOffsets()
    reached.lacking("", {0: stored(10)})
    assert reached.lacking("second", {0: stored(4)}) == set()


def test_only_a_recount_makes_the_merge_incomplete() -> None:
    assert StoredShards({0: stored(3, goal=9)}, 1, 0).recounting == set()
    recount = StoredShards({0: stored(3, goal=9, is_recount=True)}, 1, 0)
    assert (recount.recounting, recount.is_complete) == ({0}, True)
    # The first shard is done before another one has stored anything.
    assert not StoredShards({0: stored(9, is_recount=True)}, 2, 0).is_complete
    assert StoredShards({0: stored(9)}, 2, 0).is_complete
