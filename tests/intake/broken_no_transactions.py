"""A build that writes messages outside of the transaction: `python -m tests.intake.broken_no_transactions intake`."""

import uuid
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.structs import TopicPartition

import stream.intake.process
from agents.__main__ import main
from stream.kafka import transactions
from stream.kafka.options import aiokafka_options
from stream.settings.application import Settings


class AtLeastOnce(transactions.Transactions):
    """Commits the offset after the messages, under a name of its own: nothing is fenced."""

    def __init__(
        self, settings: Settings, group: str, source: TopicPartition, batch_bytes: int
    ) -> None:
        super().__init__(settings, group, source, batch_bytes)
        self._producer._txn_manager.transactional_id = uuid.uuid4().hex
        self._plain = AIOKafkaProducer(
            **aiokafka_options(settings), enable_idempotence=True, max_batch_size=batch_bytes
        )

    async def start(self) -> None:
        await super().start()
        await self._plain.start()

    async def write(self, messages: Any, offset: int, metadata: str) -> None:
        own, self._producer = self._producer, self._plain
        try:
            await self._send(messages)
        finally:
            self._producer = own
        await super().write({}, offset, metadata)

    async def close(self) -> None:
        await super().close()
        await self._plain.stop()


stream.intake.process.Transactions = AtLeastOnce

if __name__ == "__main__":
    main()
