"""Sends dead letters, metric records and churn risks to Kafka, in batches."""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    UnknownTopicOrPartitionError,
)

from stream.kafka.options import aiokafka_options
from stream.settings.application import Settings

_METADATA_SECONDS = 5.0
_STOP_SECONDS = 5.0
#: (key, value)
Message = tuple[bytes | None, bytes]


class BatchProducer:
    """An idempotent producer of whole batches: a single send costs 20 µs or more."""

    def __init__(self, settings: Settings) -> None:
        self._options: dict[str, Any] = aiokafka_options(settings)
        self._options |= {"enable_idempotence": True, "acks": "all", "linger_ms": 5}
        self._producer: AIOKafkaProducer | None = None
        self._is_broken = False
        self._renewal = asyncio.Lock()

    async def start(self) -> None:
        """Connect. Raises KafkaError, except a refusal: `send` raises that, until the right is there."""
        try:
            await self._connect()
        except ClusterAuthorizationFailedError:
            self._is_broken = True

    async def _connect(self) -> None:
        producer = AIOKafkaProducer(**self._options)
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def answer(self) -> None:
        """Return once Kafka has answered a request. Raises KafkaError."""
        if self._producer is None:
            raise KafkaConnectionError("the producer is not connected")
        await self._producer.client.fetch_all_metadata()

    async def send(self, topic: str, messages: Iterable[Message]) -> int:
        """Send messages, each to the partition of its key; return their number once Kafka has all.

        The CRC-32 of a key chooses its partition, as with librdkafka's partitioner `consistent`. The
        Java client's murmur2 would take 50 µs a key in Python. Raises KafkaError.
        """
        async with self._renewal:
            if self._is_broken:
                await self._renew()
        producer = self._producer
        assert producer is not None
        partitions = sorted(await self._partitions(producer, topic))
        grouped: dict[int, list[Message]] = {}
        for number, message in enumerate(messages):
            place = number if message[0] is None else crc32(message[0])
            grouped.setdefault(partitions[place % len(partitions)], []).append(message)
        try:
            for partition, group in grouped.items():
                await self._send_group(producer, topic, partition, group)
        except KafkaError:
            # The numbers of what was refused are missing in an idempotent producer's sequence, and
            # some refusals end its sending for good. Only another one can go on.
            self._is_broken = self._is_broken or producer is self._producer
            raise
        return sum(map(len, grouped.values()))

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> set[int]:
        """Return the partitions of a topic. Raises KafkaError, after seconds if there is none."""
        try:
            return set(await asyncio.wait_for(producer.partitions_for(topic), _METADATA_SECONDS))
        except TimeoutError:
            # aiokafka waits much longer for a topic that does not exist.
            known = await producer.client.fetch_all_metadata()
            if topic in known.topics():
                raise
            raise UnknownTopicOrPartitionError(topic) from None

    async def _renew(self) -> None:
        """Replace the producer; what the old one has not sent fails, and is sent again."""
        old = self._producer
        await self._connect()
        self._is_broken = False
        if old is not None:
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(old.stop(), _STOP_SECONDS)

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
