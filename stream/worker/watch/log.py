"""Compares Kafka's log, while it is counted, with the one whose counts are stored."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from stream.kafka.metadata import Found, log_identity
from stream.publish.log_identity import (
    LogIdentity,
    Mismatch,
    find_mismatch,
    partitions_unequal,
    topic_replaced,
)
from stream.publish.staleness import StaleReason
from stream.settings.application import Settings
from stream.worker.errors import UNREACHABLE
from stream.worker.status import OwnerStatus

_log = logging.getLogger(__name__)
LOOK_SECONDS = 5.0
_VERIFY_TIMEOUT_SECONDS = 2.0


class LogWatch:
    """Stops counting if the cluster, a topic or the partition count is another one."""

    def __init__(
        self,
        settings: Settings,
        counted: LogIdentity,
        status: OwnerStatus,
        look: Callable[[Collection[str]], Awaitable[Found]],
    ) -> None:
        """`counted` is the log of the stored counts; `look` asks Kafka for topics."""
        self._inputs = settings.topics.inputs
        self._outputs = settings.output_topics
        self._app = settings.app
        self._counted = counted
        self._status = status
        self._ask = look
        #: Topics that the last look did not find: a broker that has just started may know none.
        self._missing: set[str] = set()
        #: Whether the last look that is over was answered.
        self._is_answered = True
        #: The text by which missing outputs are held; empty if none are.
        self._held = ""

    async def run(self) -> None:
        """Look every few seconds, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Compare the log, and note which topics are missing."""
        found = await self._compare()
        if found is not None:
            self._note_missing(found)

    async def verify(self) -> None:
        """Look now: before the log is read on from a stored offset, and before a checkpoint is stored.

        Without it, what was read since the last look could be another topic's. A silent broker is
        waited for once, until it answers again.
        """
        if self._is_answered:
            try:
                await asyncio.wait_for(self._compare(), _VERIFY_TIMEOUT_SECONDS)
            except TimeoutError:
                self._is_answered = False

    async def _compare(self) -> Found | None:
        """Stop counting if this is not the log of the counts; return what Kafka has, if it answers."""
        try:
            found = await self._ask({*self._inputs, *self._outputs})
        except UNREACHABLE as error:
            self._is_answered = False
            _log.debug("the topics are unknown, asking again: %s", error)
            return None
        self._is_answered = True
        mismatch = self._mismatch(found)
        if mismatch is not None:
            self._status.halt(mismatch)
        return found

    def _note_missing(self, found: Found) -> None:
        """Stop counting, or hold the numbers, if two looks in a row do not find a topic."""
        gone = {*self._inputs, *self._outputs} - found.topics.keys() - found.hidden
        confirmed, self._missing = sorted(gone & self._missing), gone
        for topic in confirmed:
            if topic in self._inputs:
                self._status.halt(topic_replaced(topic, "it is missing"))
        self._note_outputs([topic for topic in confirmed if topic in self._outputs])

    def _mismatch(self, found: Found) -> Mismatch | None:
        here = [topic for topic in self._inputs if topic in found.topics]
        if not here:
            return None
        now = log_identity(found, here)
        before = self._counted
        # What was unknown, as before a broker's upgrade, is learned.
        counted = LogIdentity(
            now.partitions, before.cluster or now.cluster, {**now.topic_ids, **before.topic_ids}
        )
        self._counted = LogIdentity(before.partitions, counted.cluster, counted.topic_ids)
        if mismatch := find_mismatch(self._app, counted, now):
            return mismatch
        return self._growth(found, here)

    def _growth(self, found: Found, here: list[str]) -> Mismatch | None:
        counts = {topic: found.topics[topic].partitions for topic in here}
        # Fewer are those of a broker that does not know of a growth yet.
        if max(counts.values()) <= self._counted.partitions:
            return None
        if len(set(counts.values())) > 1:
            return partitions_unequal(counts)
        return find_mismatch(self._app, self._counted, log_identity(found, here))

    def _note_outputs(self, missing: list[str]) -> None:
        """Hold the numbers while a topic that the worker writes is missing."""
        text = ""
        if missing:
            text = f"topics are missing: {', '.join(missing)}; run `engage topics create`"
            self._status.reasons.hold(StaleReason.OUTPUT_REFUSED, text)
        # A producer may hold the same reason for another cause.
        elif self._held and self._status.reasons.text(StaleReason.OUTPUT_REFUSED) == self._held:
            self._status.reasons.release(StaleReason.OUTPUT_REFUSED)
        self._held = text
