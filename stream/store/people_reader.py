"""Reads people from Redis for a shard: before a batch is folded, and to close sessions."""

from collections.abc import Callable, Sequence

from stream.engine.record import Decoded
from stream.engine.shard import Shard
from stream.people.person import Person
from stream.store.shards import Store


async def people_of(
    store: Store, shard: Shard, decoded: Sequence[Decoded], is_wanted: Callable[[], bool]
) -> list[Person | None] | None:
    """Return the person of each event, all in memory; None once `is_wanted` returns False.

    The caller must not wait between this and `apply`. Raises the errors of Redis as they are.
    """
    people, missing = shard.prepare(decoded)
    while missing:
        turned = shard.people.rotations
        shard.admit(await store.read_people(shard.partition, missing))
        if not is_wanted():
            return None
        people, missing = shard.complete(decoded, people, missing, turned)
    return people


async def close_some(store: Store, shard: Shard) -> int:
    """Close due sessions of some people; return how many people were due.

    Raises the errors of Redis as they are.
    """
    due, absent = shard.close_sessions()
    if absent:
        shard.close_sessions_of(await store.read_people(shard.partition, absent))
    return due
