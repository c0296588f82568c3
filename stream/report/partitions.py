"""The shard in which an event would be counted by workers: that of its record's partition."""

from collections.abc import Callable

from schemas.codec import RejectedEvent
from stream.engine.record import Decoded
from stream.engine.shard import Shard
from stream.people.keys import record_key
from stream.people.placeholder_ids import PlaceholderIds
from stream.settings.application import Settings


def partition_of(settings: Settings, partitions: int) -> Callable[[Decoded], int]:
    """Return the partition of an event as `engage replay` and default producers choose it.

    A line that is no event is in none of them; it counts in the first.
    """
    # Not before it is needed: importing the Kafka client takes longer than a small report.
    from aiokafka.partitioner import murmur2

    placeholders = PlaceholderIds(settings.ids.placeholders)
    by_visitor = settings.identity == "visitor"
    known: dict[str, int] = {}

    def find(item: Decoded) -> int:
        if isinstance(item, RejectedEvent):
            return 0
        event = item[0]
        user, visitor = (
            None if one is None or placeholders.has(one) else one
            for one in (event.user_id, event.visitor_id)
        )
        key = record_key(event.site, user, visitor, by_visitor=by_visitor)
        partition = known.get(key)
        if partition is None:
            if len(known) >= _KNOWN_MAX:
                known.clear()
            partition = known[key] = (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
        return partition

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


_KNOWN_MAX = 100_000
