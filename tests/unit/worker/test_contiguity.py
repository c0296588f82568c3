"""Batches continue at the last offset: seen parts are removed, gaps are sought back to."""

from faust.types import TP

from stream.engine.shard import Shard
from stream.worker.contiguity import ContiguityGuard
from stream.worker.status import OwnerCounts
from tests.unit.worker.stand_ins import TOPIC, Log, batch, shard

PAGES = TP(TOPIC, 0)


def guarded(log: Log) -> tuple[ContiguityGuard, Shard, OwnerCounts]:
    held, counts = shard(), OwnerCounts()
    held.skip(TOPIC, 100)
    return ContiguityGuard(held, log, counts), held, counts


def test_a_batch_that_continues_is_admitted_whole() -> None:
    guard, _, _ = guarded(Log())
    whole = batch(100)
    assert guard.align(TOPIC, whole) is whole


def test_records_before_the_expected_offset_are_removed() -> None:
    guard, _, _ = guarded(Log())
    aligned = guard.align(TOPIC, batch(95))
    assert aligned is not None
    assert (aligned.start, aligned.end) == (100, 105)
    assert [record.offset for record in aligned.records] == [100, 101, 102, 103, 104]


def test_a_batch_before_the_expected_offset_becomes_empty() -> None:
    guard, _, _ = guarded(Log())
    aligned = guard.align(TOPIC, batch(80))
    assert aligned is not None
    assert (aligned.start, aligned.end, aligned.records) == (90, 90, [])


async def test_a_gap_is_sought_back_to() -> None:
    log = Log()
    guard, held, counts = guarded(log)
    assert guard.align(TOPIC, batch(110)) is None
    await guard.close_gap(TOPIC)
    assert log.rewinds == [{PAGES: 100}]
    assert (held.topics[TOPIC].expected, counts.rewinds, counts.retention_lost) == (100, 1, 0)


async def test_a_persistent_gap_is_skipped_up_to_the_retention_limit() -> None:
    log = Log(first=107)
    guard, held, counts = guarded(log)
    await guard.close_gap(TOPIC)
    assert counts.retention_lost == 0, "the first seek may still find the records"
    await guard.close_gap(TOPIC)
    assert (held.topics[TOPIC].expected, counts.retention_lost) == (107, 7)
    assert log.rewinds == [{PAGES: 100}, {PAGES: 107}]


async def test_a_closed_gap_is_not_taken_for_a_persistent_one() -> None:
    log = Log(first=107)
    guard, _, counts = guarded(log)
    await guard.close_gap(TOPIC)
    assert guard.align(TOPIC, batch(100)) is not None
    await guard.close_gap(TOPIC)
    assert counts.retention_lost == 0
