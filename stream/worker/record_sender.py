"""Sends the due metric records to Kafka without holding up the snapshot."""

import asyncio
import time
from collections.abc import Callable, Iterator

from schemas.outputs import MetricRecord, encode_record, record_key
from stream.kafka.producer import Message
from stream.worker.staleness.outputs import Outputs
from stream.worker.telemetry import Telemetry

#: Longest computation in one piece: the event loop has other work.
_SLICE_SECONDS = 0.02
#: Records sent at once: Kafka's answer takes as long for one as for many.
_BATCH = 2_000


class RecordSender:
    """Sends one set of due records at a time, in a task: a backfill makes hundreds of thousands due."""

    def __init__(self, outputs: Outputs, topic: str, telemetry: Telemetry) -> None:
        self._outputs = outputs
        self._topic = topic
        self._telemetry = telemetry
        self._task: asyncio.Task[None] | None = None
        #: Held while the merged counts are read or changed: no record mixes old and new ones.
        self.counts_lock = asyncio.Lock()

    def is_busy(self) -> bool:
        """Return whether records are being sent. Raises the error of the last sending."""
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            task.result()
        return self._task is not None

    def begin(self, due: Iterator[list[MetricRecord]], on_sent: Callable[[], None]) -> None:
        """Begin to send the due records; call `on_sent` once Kafka has all of them."""
        self._task = asyncio.create_task(self._send(due, on_sent))

    async def stop(self) -> None:
        """Cancel the sending; the next publisher sends again what was not acknowledged."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # Retrieved, so that asyncio does not report it: it no longer matters.

    async def _send(self, due: Iterator[list[MetricRecord]], on_sent: Callable[[], None]) -> None:
        waiting: list[Message] = []
        sent, is_over = 0, False
        while not is_over:
            async with self.counts_lock:
                found = _slice(due)
            is_over = found is None
            waiting += found or []
            if len(waiting) >= _BATCH or (is_over and waiting):
                sent += await self._outputs.send(self._topic, waiting)
                waiting = []
            await asyncio.sleep(0)
        self._telemetry.records_published += sent
        on_sent()


def _slice(due: Iterator[list[MetricRecord]]) -> list[Message] | None:
    """Return the messages of the windows computed within one slice of time; None at the end."""
    messages: list[Message] = []
    end = time.monotonic() + _SLICE_SECONDS
    for records in due:
        messages += [(record_key(record), encode_record(record)) for record in records]
        if time.monotonic() > end:
            return messages
    return messages or None
