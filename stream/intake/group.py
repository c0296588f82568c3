"""Consumer group on the foreign topics: its partitions come and go with rebalances."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.structs import TopicPartition

from stream.intake.lane import Lane
from stream.intake.status import Status
from stream.kafka.fetch import Fetched, take_fetched
from stream.kafka.group_offsets import Committed, GroupOffsets
from stream.kafka.options import aiokafka_options
from stream.settings.application import Settings

_log = logging.getLogger(__name__)
#: Time after which a new topic or partition is noticed.
_METADATA_MS = 10_000


class SourceGroup(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped for mypy
    """Membership of this process; it has one lane for each partition that it is assigned."""

    def __init__(
        self, settings: Settings, group: str, offsets: GroupOffsets, status: Status
    ) -> None:
        self._offsets = offsets
        self._status = status
        self._consumer = AIOKafkaConsumer(
            **aiokafka_options(settings),
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=settings.kafka.session_timeout_seconds * 1000,
            heartbeat_interval_ms=settings.kafka.heartbeat_seconds * 1000,
            fetch_max_wait_ms=settings.kafka.fetch_max_wait_ms,
            max_partition_fetch_bytes=settings.kafka.max_partition_fetch_bytes,
            metadata_max_age_ms=_METADATA_MS,
        )
        self.lanes: dict[TopicPartition, Lane] = {}
        #: Makes the lane of a partition; set before `start`.
        self.new_lane: Callable[[TopicPartition], Lane]
        #: No more lanes may start.
        self._is_closed = False

    async def start(self, topics: Collection[str]) -> None:
        """Join the group. Raises KafkaError."""
        await self._consumer.start()
        # A partition that waits for others is not read for long, and still belongs to this process.
        self._fetching = self._consumer._subscription.fetch_context()
        self._fetching.__enter__()
        self._consumer.subscribe(topics=sorted(topics), listener=self)

    async def stop(self) -> None:
        """Finish what is under way and leave the group."""
        self._is_closed = True
        await self._stop_lanes()
        await self._consumer.stop()

    async def halt(self) -> None:
        """Stop all lanes for good; the membership stays, so that no other process takes them over."""
        self._is_closed = True
        await self._stop_lanes()

    async def _stop_lanes(self) -> None:
        lanes, self.lanes = self.lanes, {}
        await asyncio.gather(*(lane.stop() for lane in lanes.values()))

    def check(self) -> None:
        """Raise what ended the membership: KafkaError."""
        self._consumer._coordinator.check_errors()

    # ---- calls of aiokafka

    async def on_partitions_revoked(self, _: Collection[TopicPartition]) -> None:
        """Stop the lanes: their partitions may go to another process."""
        await self._stop_lanes()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Start a lane for each partition."""
        self._status.rebalances += 1
        self._status.aligned.clear()
        await self._stop_lanes()
        if self._is_closed:
            return
        _log.info("carrying %s", ", ".join(map(_name, sorted(assigned))) or "no partition")
        self.lanes = {place: self.new_lane(place) for place in assigned}
        for lane in self.lanes.values():
            lane.start()

    # ---- calls of lanes and of the watch

    async def committed(self, place: TopicPartition) -> Committed | None:
        """Return the offset that the group has committed, once no transaction can change it."""
        return (await self._offsets.read([place], stable=True)).get(place)

    async def bounds(
        self, places: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, tuple[int, int]]:
        """Return the first offset of each partition, and the next one after committed records."""
        if not places:
            return {}
        first = await self._consumer.beginning_offsets(places)
        end = await self._consumer.end_offsets(places)
        return {place: (first[place], end[place]) for place in places}

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Read on from an offset. Raises IllegalStateError if the partition is not assigned."""
        self._consumer.seek(place, offset)

    async def fetch(self, place: TopicPartition, seconds: float) -> Fetched | None:
        """Return what was fetched of an assigned partition; None if nothing comes in time.

        Raises KafkaError.
        """
        self.check()
        found = await take_fetched(self._consumer._fetcher, [place], seconds)
        return found.get(place)

    def end(self, place: TopicPartition) -> int | None:
        """Return the end of an assigned partition as of the last fetch; None before it."""
        if place not in self._consumer.assignment():
            return None
        end: Any = self._consumer.last_stable_offset(place)
        return int(end) if end is not None and end >= 0 else self._consumer.highwater(place)


def _name(place: TopicPartition) -> str:
    return f"{place.topic}/{place.partition}"
