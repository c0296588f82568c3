"""A lane takes its partition over, commits what it maps, and goes on after failures, on its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError, ProducerFenced
from aiokafka.partitioner import murmur2
from aiokafka.structs import TopicPartition

from schemas.mapping.preset import mapping_of_source
from schemas.mapping.source import Source
from stream.intake import lane as lane_module
from stream.intake.lane import Lane
from stream.intake.status import Status
from stream.kafka.fetch import Fetched
from stream.kafka.group_offsets import Committed
from stream.rekey.alignment import Alignment
from stream.rekey.mapper import Mapper, NamedSource
from stream.rekey.progress import Progress, read_progress
from stream.rekey.router import Router
from stream.settings.application import Settings
from tests.intake.foreign import page
from tests.unit.rekey.test_mapper import Foreign

NOW = time.time_ns() // 1_000_000


class Log:
    """One partition of a foreign topic, and the group's offset of it."""

    def __init__(self, times: Sequence[int], first: int = 0) -> None:
        self.records = [Foreign(n, page(n, at, f"v{n}"), at) for n, at in enumerate(times)]
        self.first = first
        self.stored: Committed | None = None
        self.written: list[str] = []
        self.position = 0
        #: Errors that the next transactions end with.
        self.errors: list[Exception] = []
        self.commits = 0

    async def committed(self, place: TopicPartition) -> Committed | None:
        return self.stored

    async def bounds(self, places: Any) -> Any:
        return {place: (self.first, len(self.records)) for place in places}

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.position = offset

    async def fetch(self, place: TopicPartition, seconds: float) -> Fetched | None:
        await asyncio.sleep(0)
        if self.position >= len(self.records):
            await asyncio.sleep(0.01)
            return None
        found: list[Any] = list(self.records[self.position :])
        start, self.position = self.position, len(self.records)
        return Fetched(start, self.position, found)

    def end(self, place: TopicPartition) -> int:
        return len(self.records)


class Writer:
    def __init__(self, log: Log) -> None:
        self.log = log

    async def start(self) -> None: ...

    async def write(self, messages: Any, offset: int, metadata: str) -> None:
        await asyncio.sleep(0)
        if self.log.errors:
            raise self.log.errors.pop(0)
        origins = [one[3][0][1].decode() for group in messages.values() for one in group]
        self.log.written += origins
        self.log.stored = Committed(offset, metadata)
        self.log.commits += 1

    async def close(self) -> None: ...


class Stage:
    """Lanes that share an alignment and a status."""

    def __init__(self, *logs: Log) -> None:
        mapping, _ = mapping_of_source("web", {"preset": "segment"}, "sources.web")
        sources = {"foreign": [NamedSource("web", Source(mapping))]}
        mapper = Mapper(sources, Router(Settings(), 4, murmur2), "ledger", 4)
        self.logs = logs
        self.status = Status()
        self.status.aligned.set()
        self.alignment: Alignment[TopicPartition] = Alignment()
        self.lanes = []
        for number, log in enumerate(logs):
            place = TopicPartition("foreign", number)
            source: Any = log
            self.lanes.append(
                Lane(
                    place, source, lambda _, size, log=log: Writer(log), mapper, self.alignment,
                    self.status, 4,
                )
            )  # fmt: skip

    def is_carried(self) -> bool:
        return all(log.stored and log.stored.offset == len(log.records) for log in self.logs)


@asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[Stage]:
    for lane in stage.lanes:
        lane.start()
    try:
        yield stage
    finally:
        await asyncio.gather(*(lane.stop() for lane in stage.lanes))
    assert not any(lane.failure for lane in stage.lanes)


async def until(holds: Any) -> None:
    for _ in range(2_000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("not reached")


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "_RETRY_SECONDS", 0.01)


@pytest.mark.parametrize("error", [KafkaTimeoutError(), ProducerFenced(), OSError("gone")])
async def test_a_failed_transaction_is_done_again_from_the_committed_offset(
    error: Exception,
) -> None:
    log = Log([NOW + n for n in range(10)])
    log.errors = [error]
    async with running(Stage(log)) as stage:
        await until(stage.is_carried)
    assert sorted(log.written) == [f"foreign/0/{n}/0" for n in range(10)]
    assert stage.status.sources["web"].events == 10
    assert (stage.status.fenced, stage.status.failures) == (
        (1, 0) if isinstance(error, ProducerFenced) else (0, 1)
    )


async def test_a_partition_that_cannot_commit_does_not_stop_another() -> None:
    bad, good = Log([NOW]), Log([NOW + n for n in range(20)])
    bad.errors = [KafkaTimeoutError() for _ in range(10_000)]
    stage = Stage(bad, good)
    async with running(stage):
        await until(lambda: len(good.written) == 20 and stage.status.failures > 2)
        assert "cannot commit" in stage.lanes[0].problem
        assert stage.lanes[1].problem == ""
        bad.errors.clear()
        await until(stage.is_carried)


async def test_it_reads_on_from_the_committed_offset_and_says_what_retention_has_taken() -> None:
    log = Log([NOW + n for n in range(10)], first=6)
    log.stored = Committed(4, Progress(NOW, 4).text())
    async with running(Stage(log)) as stage:
        await until(stage.is_carried)
    assert sorted(log.written) == [f"foreign/0/{n}/0" for n in range(6, 10)]
    assert stage.status.lost == 2


async def test_a_partition_that_is_ahead_waits_and_tells_others_its_time() -> None:
    hour = 3_600_000
    slow, ahead = Log([NOW - 3 * hour]), Log([NOW - hour])
    slow.errors = [KafkaTimeoutError() for _ in range(10_000)]
    stage = Stage(slow, ahead)
    # The slow one is known before: as after a start at which both are taken over.
    stage.alignment.note(stage.lanes[0].place, 0, NOW - 3 * hour, is_behind=True, now_ms=NOW)
    async with running(stage):
        await until(lambda: ahead.stored is not None and stage.lanes[1].is_held)
        assert ahead.stored is not None
        assert ahead.stored.offset == 0
        assert read_progress(ahead.stored.metadata) == Progress(NOW - hour, 4)
        assert ahead.written == []
        slow.errors.clear()
        await until(stage.is_carried)
    assert ahead.written == ["foreign/1/0/0"]
    assert ahead.commits == 2


async def test_nothing_is_read_before_the_other_partitions_are_known() -> None:
    log = Log([NOW])
    stage = Stage(log)
    stage.status.aligned.clear()
    async with running(stage):
        await until(lambda: stage.lanes[0].position == 0)
        await asyncio.sleep(0.05)
        assert log.written == []
        stage.status.aligned.set()
        await until(stage.is_carried)
