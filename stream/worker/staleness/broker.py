"""Finds out whether Kafka answers this worker."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from faust.types import TP

from stream.publish.staleness import StaleReason
from stream.worker.clock import now_ms
from stream.worker.errors import UNREACHABLE
from stream.worker.log import Log
from stream.worker.owner import ShardOwner

_LOOK_SECONDS = 2.0
#: Longest time without a fetch: a fetch returns within a second, also without records.
SILENT_SECONDS = 15.0
#: Silence after which Kafka is asked. While batches wait, for Redis for example, nothing is fetched.
_ASK_AFTER_SECONDS = 8.0
_ANSWER_SECONDS = 5.0


class BrokerWatch:
    """Takes every fetch for an answer; asks for one if there is no fetch."""

    def __init__(
        self,
        owner: ShardOwner,
        log: Log,
        topics: Collection[str],
        ask: Callable[[], Awaitable[object]],
    ) -> None:
        """`ask` returns once Kafka has answered, or raises KafkaError."""
        self._owner = owner
        self._log = log
        self._topics = topics
        self._ask = ask
        self._answered_ms = 0

    async def run(self) -> None:
        """Look every two seconds, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Hold or release the reason that Kafka is away."""
        self._answered_ms = max(self._answered_ms, self._fetched_ms())
        if not self._answered_ms:
            # It has read nothing yet; the workers that do report what they see.
            return
        if self._silent_seconds() > _ASK_AFTER_SECONDS and await self._is_there():
            self._answered_ms = now_ms()
        text = (
            f"Kafka has not answered for over {SILENT_SECONDS:g} s; check it, and "
            "kafka.bootstrap_servers"
        )
        is_away = self._silent_seconds() > SILENT_SECONDS
        self._owner.reasons.note(
            StaleReason.BROKER_AWAY, text if is_away else "", self._answered_ms
        )

    def _silent_seconds(self) -> float:
        return (now_ms() - self._answered_ms) / 1000

    async def _is_there(self) -> bool:
        try:
            await asyncio.wait_for(self._ask(), _ANSWER_SECONDS)
        except UNREACHABLE:
            return False
        return True

    def _fetched_ms(self) -> int:
        """Return the time of the last fetch, of any partition; 0 if there was none."""
        return max(
            (
                seen_ms
                for partition in list(self._owner.assigned_shards)
                for topic in self._topics
                if (seen_ms := self._log.read_to(TP(topic, partition))[1])
            ),
            default=0,
        )
