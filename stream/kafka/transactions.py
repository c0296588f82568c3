"""Writes messages and the offset that they come from in one transaction of Kafka."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    IllegalOperation,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    UnknownTopicOrPartitionError,
)
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from stream.kafka.options import aiokafka_options
from stream.settings.application import Settings

#: Time after which the broker aborts a transaction of a process that has died. Until then, readers
#: of committed records wait, unless another process takes the partition over.
_TIMEOUT_MS = 30_000
_ABORT_SECONDS, _CLOSE_SECONDS = 2.0, 2.0
#: Batches below the default of a topic's max.message.bytes, 1 MiB.
BATCH_BYTES = 262_144


#: Time in epoch ms (None: now), key, value, headers.
Sendable = tuple[int | None, bytes | None, bytes, list[tuple[str, bytes]]]
Messages = Mapping[tuple[str, int], Sequence[Sendable]]


class TooLargeError(Exception):
    """A topic has refused a batch for its size; `messages` are those of the batch."""

    def __init__(self, topic: str, messages: Sequence[Sendable]) -> None:
        super().__init__(f"topic {topic} refuses a batch of {len(messages)} records for its size")
        self.messages = messages


class Transactions:
    """The transactional producer of one source partition; starting it fences the one before it.

    After any failure it is of no use any more: what was not committed is aborted by the next one.
    """

    def __init__(
        self, settings: Settings, group: str, source: TopicPartition, batch_bytes: int = BATCH_BYTES
    ) -> None:
        """`group` is the consumer group of the offsets; it is also a part of the transactional id."""
        self._group = group
        self._source = source
        options: dict[str, Any] = aiokafka_options(settings)
        self._producer = AIOKafkaProducer(
            **options,
            transactional_id=transactional_id(group, source),
            transaction_timeout_ms=_TIMEOUT_MS,
            max_batch_size=batch_bytes,
        )
        self._is_open = False

    async def start(self) -> None:
        """Fence all earlier producers of the partition; their open transaction is over when this returns.

        Raises KafkaError.
        """
        await self._producer.start()

    async def write(self, messages: Messages, offset: int, metadata: str) -> None:
        """Write the messages, each with its time in ms, and commit the next offset of the source.

        Raises KafkaError (ProducerFenced if another one has started since) and TooLargeError.
        """
        producer = self._producer
        await producer.begin_transaction()
        self._is_open = True
        await self._send(messages)
        committed = {self._source: OffsetAndMetadata(offset, metadata)}
        await producer.send_offsets_to_transaction(committed, self._group)
        await producer.commit_transaction()
        self._is_open = False

    async def _send(self, messages: Messages) -> None:
        sending: list[asyncio.Future[Any]] = []
        sent: list[tuple[str, Sequence[Sendable]]] = []
        ended: IllegalOperation | None = None
        try:
            for (topic, partition), group in messages.items():
                if partition not in await self._producer.partitions_for(topic):
                    raise UnknownTopicOrPartitionError(f"{topic}, partition {partition}")
                for batch, part in batches(self._producer, group):
                    future = await self._producer.send_batch(batch, topic, partition=partition)
                    sending.append(future)
                    sent.append((topic, part))
        except IllegalOperation as error:
            ended = (
                error  # A batch was refused meanwhile, which ends the transaction: below is why.
            )
        finally:
            # Kafka's client would commit a transaction of which a batch was refused.
            results = await asyncio.gather(*sending, return_exceptions=True)
        for (topic, part), result in zip(sent, results, strict=True):
            if isinstance(result, MessageSizeTooLargeError):
                raise TooLargeError(topic, part)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        if ended is not None:
            raise ended

    async def close(self) -> None:
        """Abort an open transaction, so that readers need not wait for its end, and disconnect."""
        if self._is_open:
            await _within(_ABORT_SECONDS, self._abort())
        await _within(_CLOSE_SECONDS, self._producer.stop())

    async def _abort(self) -> None:
        self._is_open = False
        await self._producer.abort_transaction()


def transactional_id(group: str, source: TopicPartition) -> str:
    """Return the name under which Kafka fences the producers of a source partition."""
    return f"{group}-{source.topic}-{source.partition}"


def batches(
    producer: AIOKafkaProducer, messages: Sequence[Sendable]
) -> Iterator[tuple[Any, Sequence[Sendable]]]:
    """Yield batches with their messages."""
    begin = 0
    batch = producer.create_batch()
    append = batch.append
    for number, (timestamp, key, value, headers) in enumerate(messages):
        if append(timestamp=timestamp, key=key, value=value, headers=headers) is None:
            yield batch, messages[begin:number]
            begin, batch = number, producer.create_batch()
            append = batch.append
            append(timestamp=timestamp, key=key, value=value, headers=headers)
    if batch.record_count():
        yield batch, messages[begin:]


async def _within(seconds: float, work: Any) -> None:
    """Wait for work, but not longer than this; its failure changes nothing."""
    task = asyncio.ensure_future(work)
    await asyncio.wait([task], timeout=seconds)
    task.add_done_callback(_take)


def _take(task: "asyncio.Future[Any]") -> None:
    """Take the error of a task, which asyncio would otherwise report as forgotten."""
    if not task.cancelled():
        task.exception()


#: What ends a producer: the partition has another one, or Kafka does not answer.
FENCED, FAILED = ProducerFenced, (KafkaError, IllegalOperation, OSError, TimeoutError)
