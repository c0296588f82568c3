"""Tells shards whose numbers are incomplete: loading, recalling event ids, or behind their goal."""

from stream.engine.shard import Shard
from stream.worker.assigned_shard import AssignedShard


def is_rebuilding(assigned: AssignedShard) -> bool:
    """Return whether the numbers of a shard are incomplete, or stand still until it is ready."""
    shard = assigned.shard
    return shard is None or is_recalling(shard) or is_behind(shard)


def is_recalling(shard: Shard) -> bool:
    """Return whether a shard that was loaded still reads the event ids from before its checkpoint."""
    return any(state.expected < state.next for state in shard.topics.values())


def is_behind(shard: Shard) -> bool:
    """Return whether a shard has not read its log to where it was when counting began, or began again.

    The goal is fixed: under steady traffic a shard would never be without any lag.
    """
    return any(state.next < state.goal for state in shard.topics.values())
