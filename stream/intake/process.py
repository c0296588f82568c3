"""Wires one process of the intake: the group, the mapper, the watch."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from aiokafka.partitioner import murmur2
from aiokafka.structs import TopicPartition

from stream.configure.check_sources import source_named
from stream.intake.group import SourceGroup
from stream.intake.lane import Lane, Writer
from stream.intake.status import Status
from stream.intake.watch import Watch
from stream.kafka.group_offsets import GroupOffsets
from stream.kafka.metadata import ClusterMetadata
from stream.kafka.transactions import Transactions
from stream.rekey.alignment import AHEAD_MS, Alignment
from stream.rekey.mapper import Mapper, NamedSource
from stream.rekey.router import Router
from stream.settings.application import Settings

_log = logging.getLogger(__name__)


def group_of(settings: Settings) -> str:
    """Return the name of the consumer group of the intake; transactional ids begin with it."""
    return f"{settings.consumer_group}-intake"


def carried_topics(settings: Settings) -> list[str]:
    """Return the foreign topics in the order of their names."""
    named = (one.topics for one in settings.sources.values())
    return sorted({topic for topics in named for topic in topics})


def carried_sources(settings: Settings) -> dict[str, list[NamedSource]]:
    """Return the sources of each foreign topic."""
    found: dict[str, list[NamedSource]] = {}
    for name, written in settings.sources.items():
        if written.topics:
            source = NamedSource(name, source_named(settings, name))
            for topic in written.topics:
                found.setdefault(topic, []).append(source)
    return found


class Intake:
    """One process. Nothing connects before `start`."""

    def __init__(
        self,
        settings: Settings,
        sources: Mapping[str, Sequence[NamedSource]],
        partitions: int,
        ledger_partitions: int,
    ) -> None:
        """`partitions` is the count of every input topic."""
        self._settings = settings
        self._sources = sources
        self._partitions = partitions
        self.status = Status()
        group = group_of(settings)
        self._offsets = GroupOffsets(settings, group)
        self._metadata = ClusterMetadata(settings)
        router = Router(settings, partitions, murmur2)
        ledger = settings.topics.ledger
        self._mapper = Mapper(sources, router, ledger, ledger_partitions)
        self.alignment: Alignment[TopicPartition] = Alignment(*_ahead(settings))
        self.group = SourceGroup(settings, group, self._offsets, self.status)
        self.group.new_lane = self._new_lane
        self.watch = Watch(
            self.group, self._offsets, self.alignment, self.status, self._metadata.look,
            sources=sources.keys(), inputs=dict.fromkeys(settings.topics.inputs, partitions),
            outputs=[ledger],
        )  # fmt: skip
        self._tasks: list[asyncio.Task[None]] = []

    def _new_lane(self, place: TopicPartition) -> Lane:
        return Lane(
            place, self.group, self._new_writer, self._mapper, self.alignment, self.status,
            self._partitions,
        )  # fmt: skip

    def _new_writer(self, place: TopicPartition, batch_bytes: int) -> Writer:
        return Transactions(self._settings, group_of(self._settings), place, batch_bytes)

    async def start(self) -> None:
        """Join the group and begin. Raises KafkaError."""
        await self.group.start(self._sources)
        self._tasks = [asyncio.create_task(self.watch.run(), name="watch")]

    async def stop(self) -> None:
        """Finish the transactions under way, leave the group and disconnect."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.group.stop()
        await self._offsets.close()
        await self._metadata.close()

    @property
    def failure(self) -> BaseException | None:
        """A defect that has ended a part of this process; None while all parts work."""
        for lane in self.group.lanes.values():
            if lane.failure is not None:
                return lane.failure
        for task in self._tasks:
            if task.done() and not task.cancelled():
                return task.exception() or RuntimeError(f"the task {task.get_name()} has ended")
        return None


def _ahead(settings: Settings) -> tuple[int, int, int]:
    """Return how far partitions may be ahead of the slowest one, in ms: usually, in a backlog, if stuck."""
    time = settings.time
    lateness, correction = (
        round(time.allowed_lateness_seconds * 1000), round(time.correction_window_seconds * 1000)
    )  # fmt: skip
    if time.late_policy != "update":
        # A final window takes no late event: the order must be as close as the windows wait.
        ahead = min(AHEAD_MS, max(lateness, 1000))
        return ahead, ahead, max(correction // 2, ahead)
    return AHEAD_MS, max(AHEAD_MS, correction // 24), max(AHEAD_MS, correction // 2)
