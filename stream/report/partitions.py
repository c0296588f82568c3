"""The shard in which an event would be counted by workers: that of its record's partition."""

from collections.abc import Callable

from schemas.codec import RejectedEvent
from stream.engine.record import Decoded
from stream.engine.rules import Rules
from stream.engine.shard import Shard
from stream.people.keys import record_key
from stream.report.key_partitions import KeyPartitions


def partition_of(rules: Rules, partitions: int) -> Callable[[Decoded], int]:
    """Return the partition of an event as `engage replay` and default producers choose it.

    A line that is no event is in none of them; it counts in the first.
    """
    placeholders, by_visitor = rules.placeholder_ids, not rules.identity_is_user
    keys = KeyPartitions()

    def find(item: Decoded) -> int:
        if isinstance(item, RejectedEvent):
            return 0
        event = item[0]
        user, visitor = (
            None if one is None or placeholders.has(one) else one
            for one in (event.user_id, event.visitor_id)
        )
        key = record_key(event.site, user, visitor, by_visitor=by_visitor)
        return keys.of(key.encode(), partitions)

    return find


def move_counts(source: Shard, target: Shard) -> None:
    """Move all counts from one shard to another, which has names of its own."""
    ids: dict[int, tuple[int, ...]] = {}
    for number, (measure, site, dimension, value) in source.registry.series.items():
        ids[number] = target.registry.named_segment(site, dimension, value).series(measure)
    for grain, table in source.counters.tables.items():
        for index, counts in table.items():
            for number, count in counts.items():
                target.counters.add_at(grain, index, ids[number], count)
        table.clear()
    source.counters.changed.clear()
    for name, topic in source.topics.items():
        target.topics[name].clock = max(target.topics[name].clock, topic.clock)
