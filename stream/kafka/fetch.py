"""Takes the raw records of each fetched partition from aiokafka, in one piece.

aiokafka builds an object with eleven fields for each record. The engine needs five of them, and the
record of the protocol has those. The code reads private parts of aiokafka 0.14's fetcher: therefore
pyproject.toml pins the version, and tests/integration checks transactions and every compression.
"""

import asyncio
from collections.abc import Collection
from typing import Any, NamedTuple

from aiokafka.errors import CorruptRecordException
from aiokafka.structs import TopicPartition

from stream.engine.record import Record


class Fetched(NamedTuple):
    """All records of the log from offset `start` up to, not including, offset `end`."""

    start: int
    end: int
    records: list[Record]


async def take_fetched(
    fetcher: Any, partitions: Collection[TopicPartition] | None, timeout_seconds: float
) -> dict[TopicPartition, Fetched]:
    """Return what is fetched for the partitions; wait up to the timeout for the first records.

    Raises the broker's answer, as an error of aiokafka, for a partition that cannot be read.
    """
    if fetcher._subscriptions.reassignment_in_progress:
        await fetcher._subscriptions.wait_for_assignment()
    taken = _take(fetcher, partitions)
    if not taken and timeout_seconds:
        waiter = fetcher._create_fetch_waiter()
        done, _ = await asyncio.wait([waiter], timeout=timeout_seconds)
        if not done or fetcher._closed:
            waiter.cancel()
            return {}
        waiter.result()  # Raises the error that stopped the fetching, such as a refused authorisation.
        taken = _take(fetcher, partitions)
    return taken


def _take(
    fetcher: Any, partitions: Collection[TopicPartition] | None
) -> dict[TopicPartition, Fetched]:
    taken: dict[TopicPartition, Fetched] = {}
    waiting = fetcher._records
    for tp in list(waiting):
        if partitions and tp not in partitions:
            if not fetcher._subscriptions.is_assigned(tp):
                del waiting[tp]
            continue
        result = waiting[tp]
        if not hasattr(result, "getall"):
            if taken:
                break  # Hand out the records first; the next call raises the error.
            del waiting[tp]
            fetcher._notify(fetcher._wait_consume_future)
            result.check_raise()
            continue
        del waiting[tp]
        fetcher._notify(fetcher._wait_consume_future)
        # False if the partition was sought, paused or revoked since the fetch.
        if result.check_assignment(tp) and result.has_more():
            fetched = _unpack(result._partition_records)
            result._update_position()
            if fetched.end > fetched.start:
                taken[tp] = fetched
    return taken


def _unpack(partition: Any) -> Fetched:
    """Return the records outside aborted transactions; move the position past all that was fetched."""
    start = partition.next_fetch_offset
    records: list[Record] = []
    batches = partition._records
    while batches.has_next():
        batch = batches.next_batch()
        if partition._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"a batch of {partition._tp} fails its checksum")
        if not _is_hidden(partition, batch):
            found = list(batch)
            if found and found[0].offset < partition.next_fetch_offset:
                # The broker sends whole batches; the position may lie in the middle of one.
                found = [r for r in found if r.offset >= partition.next_fetch_offset]
            records += found
        partition.next_fetch_offset = batch.next_offset
    return Fetched(start, partition.next_fetch_offset, records)


def _is_hidden(partition: Any, batch: Any) -> bool:
    """Return whether a batch is a control batch or belongs to an aborted transaction."""
    if batch.producer_id is None:
        return bool(batch.is_control_batch)
    partition._consume_aborted_up_to(batch.base_offset)
    aborted = partition._aborted_producers
    if batch.is_control_batch:
        if partition._contains_abort_marker(batch):
            aborted.discard(batch.producer_id)
        return True
    return bool(batch.is_transactional and batch.producer_id in aborted)
