"""Looks at the topics, and at how far other processes have read the source partitions."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

from aiokafka.structs import TopicPartition

from stream.intake.group import SourceGroup
from stream.intake.status import Status
from stream.kafka.group_offsets import GroupOffsets
from stream.kafka.metadata import Found
from stream.kafka.transactions import FAILED
from stream.rekey.alignment import Alignment
from stream.rekey.progress import read_progress

_log = logging.getLogger(__name__)
_TOPICS_SECONDS = 5.0
#: Between two looks at the other processes; shorter while a partition waits for them.
_LOOK_SECONDS, _HELD_SECONDS = 1.0, 0.1


class Watch:
    """Looks again and again. It keeps the alignment of this process up to date, and stops it."""

    def __init__(
        self,
        group: SourceGroup,
        offsets: GroupOffsets,
        alignment: Alignment[TopicPartition],
        status: Status,
        look: Callable[[Collection[str]], Awaitable[Found]],
        *,
        sources: Collection[str],
        inputs: Mapping[str, int],
        outputs: Collection[str],
    ) -> None:
        """`inputs` are the input topics with their partitions; `sources` the foreign topics."""
        self._group = group
        self._offsets = offsets
        self._alignment = alignment
        self._status = status
        self._ask = look
        self._sources = frozenset(sources)
        self._inputs = inputs
        self._outputs = frozenset(outputs)
        self._places: frozenset[TopicPartition] = frozenset()
        self._looked = float("-inf")
        #: Records that are not read yet, of each partition, as of the last look.
        self.lag: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.look()
                self._status.problems["kafka"] = ""
            except FAILED as error:
                self._status.problems["kafka"] = f"does not answer: {error!r}"
                _log.warning("the source topics are unknown, asking again: %r", error)
            await asyncio.sleep(_HELD_SECONDS if self._is_held() else _LOOK_SECONDS)

    async def look(self) -> None:
        """Look once. Raises KafkaError, OSError, TimeoutError."""
        self._group.check()
        rebalances = self._status.rebalances
        if time.monotonic() - self._looked > _TOPICS_SECONDS:
            await self._look_at_topics()
            self._looked = time.monotonic()
        await self._look_at_heads()
        if rebalances == self._status.rebalances:
            self._status.aligned.set()

    async def _look_at_topics(self) -> None:
        found = await self._ask({*self._sources, *self._inputs, *self._outputs})
        grown = [
            f"{topic} has {found.topics[topic].partitions}"
            for topic, count in self._inputs.items()
            if topic in found.topics and found.topics[topic].partitions > count
        ]
        if grown and not self._status.halted:
            count = next(iter(self._inputs.values()))
            self._status.halted = changed_partitions(count, ", ".join(grown))
            _log.error("%s", self._status.halted)
            await self._group.halt()
        missing = sorted(self._sources - found.topics.keys())
        text = (
            f"waiting for topics that Kafka does not have: {', '.join(missing)}" if missing else ""
        )
        if text and text != self._status.problems.get("source topics"):
            _log.warning("%s; correct [sources.NAME] topics, or create them", text)
        self._status.problems["source topics"] = text
        gone = sorted({*self._inputs, *self._outputs} - found.topics.keys() - found.hidden)
        self._status.problems["topics"] = (
            f"missing: {', '.join(gone)}; run `engage topics create`" if gone else ""
        )
        self._places = frozenset(
            TopicPartition(topic, number)
            for topic in self._sources & found.topics.keys()
            for number in range(found.topics[topic].partitions)
        )

    async def _look_at_heads(self) -> None:
        """Note how far each partition of other processes is read, and which of ours wait for them."""
        own = {place for place, lane in self._group.lanes.items() if lane.position is not None}
        others = sorted(self._places - own)
        committed = await self._offsets.read(others, stable=False) if others else {}
        bounds = await self._group.bounds(others)
        now_ms = time.time_ns() // 1_000_000
        for place in others:
            first, end = bounds[place]
            one = committed.get(place)
            progress = read_progress(one.metadata) if one else None
            position = max(one.offset, first) if one else first
            self.lag[place] = max(end - position, 0)
            self._alignment.note(
                place, position, progress.time_ms if progress else None,
                is_behind=position < end, now_ms=now_ms,
            )  # fmt: skip
        for place in own:
            lane, own_end = self._group.lanes.get(place), self._group.end(place)
            if lane is not None and lane.position is not None and own_end is not None:
                self.lag[place] = max(own_end - lane.position, 0)
        self._alignment.keep({*self._places, *own})
        self._alignment.look(now_ms)

    def _is_held(self) -> bool:
        """Return whether a lane waits for others, or for the first look after a rebalance."""
        lanes = self._group.lanes.values()
        return not self._status.aligned.is_set() or any(lane.is_held for lane in lanes)


def changed_partitions(counted: int, found: str) -> str:
    """Say that the input topics have other partitions than the records so far were keyed for."""
    return (
        f"records were keyed for {counted} partitions of each input topic, but {found}: the events "
        "of a person would go to another shard. Kafka cannot take partitions away: give every input "
        "topic the same count, run `engage backfill`, and start `engage intake --accept-partitions` "
        "(people who moved count twice, once before and once after), or fill new topics under "
        "another `app`"
    )
