"""Takes what aiokafka has fetched as it is: the raw records of one partition, in one piece.

aiokafka builds an object with eleven fields for each record that it hands out; the engine needs
five, and the record of the protocol has them. This reads private parts of aiokafka 0.14's fetcher,
which is why pyproject.toml pins it and tests/integration checks every compression and transactions.
"""

import asyncio
from collections.abc import Collection
from typing import Any, NamedTuple

from aiokafka.errors import CorruptRecordException
from aiokafka.structs import TopicPartition

from stream.engine.fold import Record


class Fetched(NamedTuple):
    """All records that the log holds from `start` up to, not including, `end`."""

    start: int
    end: int
    records: list[Record]


async def take_fetched(
    fetcher: Any, partitions: Collection[TopicPartition] | None, timeout_seconds: float
) -> dict[TopicPartition, Fetched]:
    """What is fetched for the partitions now, waiting up to the timeout for the first of it.

    Raises what the broker answered (aiokafka's errors) for a partition that cannot be read.
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
        waiter.result()  # Raises what stopped the fetching, such as a refused authorisation.
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
                break  # An error waits until what is here has been handed out.
            del waiting[tp]
            fetcher._notify(fetcher._wait_consume_future)
            result.check_raise()
            continue
        del waiting[tp]
        fetcher._notify(fetcher._wait_consume_future)
        # Not when the partition was sought elsewhere, paused or revoked since the fetch.
        if result.check_assignment(tp) and result.has_more():
            fetched = _unpack(result._partition_records)
            result._update_position()
            if fetched.end > fetched.start:
                taken[tp] = fetched
    return taken


def _unpack(partition: Any) -> Fetched:
    """The records of committed transactions and of none; the position moves past all that was read."""
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
                # A batch is sent whole, also when the position is in its middle.
                found = [r for r in found if r.offset >= partition.next_fetch_offset]
            records += found
        partition.next_fetch_offset = batch.next_offset
    return Fetched(start, partition.next_fetch_offset, records)


def _is_hidden(partition: Any, batch: Any) -> bool:
    """Whether a batch is a control batch or belongs to an aborted transaction."""
    if batch.producer_id is None:
        return bool(batch.is_control_batch)
    partition._consume_aborted_up_to(batch.base_offset)
    aborted = partition._aborted_producers
    if batch.is_control_batch:
        if partition._contains_abort_marker(batch):
            aborted.discard(batch.producer_id)
        return True
    return bool(batch.is_transactional and batch.producer_id in aborted)
