"""Sends to Kafka what the cuts have left for it: ledger entries and metric records, in batches."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from stream.kafka_options import aiokafka_options
from stream.settings import Settings
from stream.store import Store

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 2.0
#: Cuts whose entries are kept in memory as well, to be sent without reading them again.
_HELD_CUTS = 16
#: (key, value)
Message = tuple[bytes | None, bytes]


class Outgoing:
    """An idempotent producer that is given whole batches, since each single send costs 20 µs or more."""

    def __init__(self, settings: Settings) -> None:
        self._options: dict[str, Any] = aiokafka_options(settings)
        self._options |= {"enable_idempotence": True, "acks": "all", "linger_ms": 5}
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect. Raises KafkaError."""
        self._producer = AIOKafkaProducer(**self._options)
        await self._producer.start()

    async def stop(self) -> None:
        """Disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def send(self, topic: str, messages: Iterable[Message]) -> int:
        """Send all, keys to their partitions, and wait until Kafka has them. Raises KafkaError.

        A key's partition is its CRC-32, as with librdkafka's partitioner `consistent`: murmur2, which
        the Java client uses, takes 50 µs a key in Python.
        """
        producer = self._producer
        assert producer is not None
        partitions = sorted(await producer.partitions_for(topic))
        grouped: dict[int, list[Message]] = {}
        for number, message in enumerate(messages):
            place = number if message[0] is None else crc32(message[0])
            grouped.setdefault(partitions[place % len(partitions)], []).append(message)
        for partition, group in grouped.items():
            await self._send_group(producer, topic, partition, group)
        return sum(map(len, grouped.values()))

    async def _send_group(
        self, producer: AIOKafkaProducer, topic: str, partition: int, group: list[Message]
    ) -> None:
        waiting: list[asyncio.Future[Any]] = []
        batch = producer.create_batch()
        for key, value in group:
            if batch.append(key=key, value=value, timestamp=None) is None:
                waiting.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        if batch.record_count():
            waiting.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*waiting)


class LedgerPump:
    """Moves ledger entries from Redis to Kafka: at least once, and never lost between the two."""

    def __init__(self, store: Store, outgoing: Outgoing, topic: str) -> None:
        self._store = store
        self._outgoing = outgoing
        self._topic = topic
        self._waiting: asyncio.Queue[tuple[int, int, list[bytes]]] = asyncio.Queue()
        self.entries_sent = 0
        self.failures = 0

    def put(self, partition: int, sequence: int, entries: list[bytes]) -> None:
        """The cut with this number has left entries; with too many waiting, they stay in Redis."""
        held = entries if self._waiting.qsize() < _HELD_CUTS else []
        self._waiting.put_nowait((partition, sequence, held))

    async def take_over(self, partition: int) -> None:
        """Take up what an earlier owner of the shard has not sent."""
        for sequence in await self._store.ledger_waiting(partition):
            self.put(partition, sequence, [])

    async def run(self) -> None:
        """Send for ever; what fails is tried again until it is there."""
        while True:
            partition, sequence, held = await self._waiting.get()
            while True:
                try:
                    entries = held or await self._store.ledger_entries(partition, sequence)
                    if entries:
                        self.entries_sent += await self._outgoing.send(
                            self._topic, ((None, entry) for entry in entries)
                        )
                    await self._store.ledger_done(partition, sequence)
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
