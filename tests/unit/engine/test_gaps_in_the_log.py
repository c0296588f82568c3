"""Logs with gaps, as aborted transactions and compaction leave them: every offset is accounted for."""

import pytest

from schemas.codec import parse_all
from stream.engine.shard import Shard
from tests.unit.worker.stand_ins import TOPIC, Raw, shard


def _fold(one: Shard, *offsets: int) -> None:
    records = [Raw(offset, 1_000, b"no event") for offset in offsets]
    decoded = parse_all([record.value for record in records])
    people, missing = one.prepare(decoded)
    assert not missing
    one.apply(TOPIC, records, decoded, people, 2_000)  # type: ignore[arg-type]


@pytest.mark.parametrize("batches", [[(0, 5, 6)], [(0,), (5, 6)], [(2, 3), (6,)]])
def test_records_and_gaps_add_up_to_the_offsets_passed(batches: list[tuple[int, ...]]) -> None:
    one = shard()
    for offsets in batches:
        _fold(one, *offsets)
    topic = one.topics[TOPIC]
    assert topic.next == topic.expected == 7
    assert topic.counts["rejected"] == sum(map(len, batches))
    assert sum(topic.counts.values()) == 7


def test_records_after_a_gap_count_although_ids_are_being_recalled() -> None:
    one = shard()
    _fold(one, 0, 5)
    topic = one.topics[TOPIC]
    topic.expected = 0  # As after a restart: the log is read again to recall the ids of events.
    _fold(one, 0, 5, 6, 7)
    assert (topic.next, topic.expected) == (8, 8)
    assert topic.counts["rejected"] == 4
