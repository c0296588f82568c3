"""Faust's consumer delivers the batches that our transport fetches."""

import asyncio
from collections.abc import AsyncIterator

from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode import Service

from agents.app import Worker
from stream.configure.load import load_settings
from stream.kafka.fetch import Fetched
from stream.kafka.transport import Consumer
from stream.publish.log_identity import LogIdentity

PAGES = TP("page-views", 0)


class Fetcher(Service):
    """Fetcher that is only asked whether it has been stopped."""


def test_a_batch_sought_back_to_is_delivered_without_a_new_record() -> None:
    async def drained() -> list[int]:
        worker = Worker(load_settings(None, {"ENGAGE_APP": "test-transport"}), LogIdentity(1))
        delivered: list[int] = []

        async def callback(message: ConsumerMessage) -> None:
            delivered.append(message.offset)
            if message.offset == 500:
                # A shard was lost and is read again from its last checkpoint while this batch
                # waits.
                consumer._read_offset[PAGES] = 300

        consumer = worker.app.consumer
        assert isinstance(consumer, Consumer)
        consumer.callback = callback
        fetcher = Fetcher()

        async def getmany(timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
            for start in (500, 300):
                yield PAGES, consumer._batch_message(PAGES, Fetched(start, start + 10, []))
            fetcher._stopped.set()

        consumer.getmany = getmany  # type: ignore[method-assign]
        await asyncio.wait_for(consumer._drain_messages(fetcher), 10)
        consumer._thread.thread_loop.close()
        return delivered

    assert asyncio.run(drained()) == [500, 300]
