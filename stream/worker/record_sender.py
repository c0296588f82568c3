"""Sends the records that are due, a slice of computing at a time: the snapshot must not wait for them."""

import asyncio
import time
from collections.abc import Iterator

from schemas.outputs import MetricRecord, encode_record, record_key
from stream.kafka.producer import BatchProducer, Message
from stream.publish.snapshot import Snapshot
from stream.worker.publisher import Publisher
from stream.worker.telemetry import Telemetry

#: How long the event loop may be kept from everything else.
_SLICE_SECONDS = 0.02
#: Records sent at once: Kafka's answer takes as long for one as for many.
_BATCH = 2_000


class RecordSender:
    """One sending at a time, in a task of its own; a backfill makes hundreds of thousands due at once."""

    def __init__(self, producer: BatchProducer, topic: str, telemetry: Telemetry) -> None:
        self._producer = producer
        self._topic = topic
        self._telemetry = telemetry
        self._task: asyncio.Task[None] | None = None
        #: Held while the board is read or changed: no record is made of half a change.
        self.counts_lock = asyncio.Lock()

    def is_busy(self) -> bool:
        """Whether a sending is under way. Raises what the last one has failed with."""
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            task.result()
        return self._task is not None

    def begin(
        self, publisher: Publisher, snapshot: Snapshot, due: Iterator[list[MetricRecord]]
    ) -> None:
        """Send what is due, and tell the publisher when Kafka has all of it."""
        self._task = asyncio.create_task(self._send(publisher, snapshot, due))

    async def stop(self) -> None:
        """End the sending under way: the next publisher sends what was not acknowledged again."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # Looked at: a failure no longer matters.

    async def _send(
        self, publisher: Publisher, snapshot: Snapshot, due: Iterator[list[MetricRecord]]
    ) -> None:
        waiting: list[Message] = []
        sent, is_over = 0, False
        while not is_over:
            async with self.counts_lock:
                found = _slice(due)
            is_over = found is None
            waiting += found or []
            if len(waiting) >= _BATCH or (is_over and waiting):
                sent += await self._producer.send(self._topic, waiting)
                waiting = []
            await asyncio.sleep(0)
        self._telemetry.records_published += sent
        publisher.acknowledged(snapshot)


def _slice(due: Iterator[list[MetricRecord]]) -> list[Message] | None:
    """The records of the windows that are computed within one slice of time; None at the end."""
    messages: list[Message] = []
    end = time.monotonic() + _SLICE_SECONDS
    for records in due:
        messages += [(record_key(record), encode_record(record)) for record in records]
        if time.monotonic() > end:
            return messages
    return messages or None
