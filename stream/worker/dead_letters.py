"""Moves dead letters from Redis to Kafka: at least once, and never lost between the two."""

import asyncio
import logging

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from stream.kafka.producer import BatchProducer
from stream.store.shards import Store

_log = logging.getLogger(__name__)


_RETRY_SECONDS = 2.0


#: Cuts whose entries are kept in memory as well, to be sent without reading them again.
_HELD_CHECKPOINTS = 16


class DeadLetterSender:
    """Moves ledger entries from Redis to Kafka: at least once, and never lost between the two."""

    def __init__(self, store: Store, producer: BatchProducer, topic: str) -> None:
        self._store = store
        self._producer = producer
        self._topic = topic
        self._waiting: asyncio.Queue[tuple[int, int, list[bytes]]] = asyncio.Queue()
        self.entries_sent = 0
        self.failures = 0

    def put(self, partition: int, sequence: int, entries: list[bytes]) -> None:
        """The cut with this number has left entries; with too many waiting, they stay in Redis."""
        held = entries if self._waiting.qsize() < _HELD_CHECKPOINTS else []
        self._waiting.put_nowait((partition, sequence, held))

    async def take_over(self, partition: int) -> None:
        """Take up what an earlier owner of the shard has not sent."""
        for sequence in await self._store.dead_letters_waiting(partition):
            self.put(partition, sequence, [])

    async def run(self) -> None:
        """Send for ever; what fails is tried again until it is there."""
        while True:
            partition, sequence, held = await self._waiting.get()
            while True:
                try:
                    entries = held or await self._store.dead_letters(partition, sequence)
                    if entries:
                        self.entries_sent += await self._producer.send(
                            self._topic, ((None, entry) for entry in entries)
                        )
                    await self._store.dead_letters_done(partition, sequence)
                    break
                except (KafkaError, RedisError, OSError, TimeoutError) as error:
                    self.failures += 1
                    if self.failures % 30 == 1:
                        _log.warning("ledger entries wait in Redis: %s", error)
                    await asyncio.sleep(_RETRY_SECONDS)

    @property
    def backlog(self) -> int:
        """Cuts whose entries are not sent yet."""
        return self._waiting.qsize()
