"""Moves dead letters from Redis to Kafka: each at least once, none lost between the two."""

import asyncio
import logging

from stream.store.shards import Store
from stream.worker.errors import UNREACHABLE
from stream.worker.staleness.outputs import Outputs

_log = logging.getLogger(__name__)
#: First and longest wait before dead letters are sent again.
_RETRY_SECONDS, _RETRY_MAX_SECONDS = 2.0, 30.0
#: Checkpoints whose dead letters are held in memory as well, so that they need not be read again.
_HELD_CHECKPOINTS = 16


class DeadLetterSender:
    """Sends the dead letters of each stored checkpoint, then deletes them from Redis."""

    def __init__(self, store: Store, outputs: Outputs, topic: str) -> None:
        self._store = store
        self._outputs = outputs
        self._topic = topic
        self._waiting: asyncio.Queue[tuple[int, int, list[bytes]]] = asyncio.Queue()
        self.entries_sent = 0
        self.failures = 0

    def put(self, partition: int, sequence: int, entries: list[bytes]) -> None:
        """Queue the dead letters of a checkpoint; if many are waiting, read them from Redis later."""
        held = entries if self._waiting.qsize() < _HELD_CHECKPOINTS else []
        self._waiting.put_nowait((partition, sequence, held))

    async def take_over(self, partition: int) -> None:
        """Queue the dead letters that an earlier owner of the shard has not sent."""
        for sequence in await self._store.dead_letters_waiting(partition):
            self.put(partition, sequence, [])

    async def run(self) -> None:
        """Send for ever, one checkpoint after the other."""
        while True:
            partition, sequence, held = await self._waiting.get()
            wait_seconds = _RETRY_SECONDS
            while True:
                try:
                    await self._send(partition, sequence, held)
                    break
                except UNREACHABLE as error:
                    self.failures += 1
                    if wait_seconds == _RETRY_SECONDS:
                        _log.warning(
                            "shard %d: dead letters wait in Redis, trying again; check Kafka: %s",
                            partition, error,
                        )  # fmt: skip
                    await asyncio.sleep(wait_seconds)
                    wait_seconds = min(2 * wait_seconds, _RETRY_MAX_SECONDS)

    async def _send(self, partition: int, sequence: int, held: list[bytes]) -> None:
        entries = held or await self._store.dead_letters(partition, sequence)
        if entries:
            messages = ((None, entry) for entry in entries)
            self.entries_sent += await self._outputs.send(self._topic, messages)
        await self._store.dead_letters_done(partition, sequence)

    @property
    def backlog(self) -> int:
        """Checkpoints whose dead letters are not sent yet."""
        return self._waiting.qsize()
