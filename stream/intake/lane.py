"""Carries one source partition: takes it over, then maps and commits chunk after chunk."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from aiokafka.structs import TopicPartition

from stream.intake.status import Status
from stream.kafka.fetch import Fetched
from stream.kafka.group_offsets import Committed
from stream.kafka.transactions import BATCH_BYTES, FAILED, FENCED, Messages, TooLargeError
from stream.rekey.alignment import Alignment
from stream.rekey.mapper import Mapper
from stream.rekey.progress import Progress, read_progress

_log = logging.getLogger(__name__)
_FETCH_SECONDS = 0.5
#: Longest wait before a partition that is ahead of others is looked at again.
_HELD_SECONDS = 0.05
_RETRY_SECONDS, _RETRY_MAX_SECONDS = 0.5, 10.0
_STOP_SECONDS = 3.0
_MIN_BATCH_BYTES = 1


class Writer(Protocol):
    """Writes messages and an offset, both or neither: `stream.kafka.transactions.Transactions`."""

    async def start(self) -> None: ...
    async def write(self, messages: Messages, offset: int, metadata: str) -> None: ...
    async def close(self) -> None: ...


class Source(Protocol):
    """The log of the foreign topics: `stream.intake.group.SourceGroup`."""

    async def committed(self, place: TopicPartition) -> Committed | None: ...
    async def bounds(
        self, places: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, tuple[int, int]]: ...
    def seek(self, place: TopicPartition, offset: int) -> None: ...
    async def fetch(self, place: TopicPartition, seconds: float) -> Fetched | None: ...
    def end(self, place: TopicPartition) -> int | None: ...
    def is_assigned(self, place: TopicPartition) -> bool: ...


#: Makes the writer of a partition, with the most bytes of a batch.
NewWriter = Callable[[TopicPartition, int], Writer]


class Lane:
    """One source partition in the hands of this process."""

    def __init__(
        self,
        place: TopicPartition,
        source: Source,
        new_writer: NewWriter,
        mapper: Mapper,
        alignment: Alignment[TopicPartition],
        status: Status,
        partitions: int,
    ) -> None:
        """`partitions` is the count of the input topics."""
        self.place = place
        self._source = source
        self._new_writer = new_writer
        self._mapper = mapper
        self._alignment = alignment
        self._status = status
        self._partitions = partitions
        self._batch_bytes = BATCH_BYTES
        #: Origins of messages that their topic has refused.
        self._oversize: frozenset[bytes] = frozenset()
        self._stopping = asyncio.Event()
        #: Whether it waits for records, for others or for a retry: it may be cancelled.
        self._is_idle = True
        self._task: asyncio.Task[None] | None = None
        #: Next offset; None until the partition is taken over.
        self.position: int | None = None
        self._reached_ms = 0
        #: Time that stands in the group beside the offset.
        self._announced_ms: int | None = None
        self.problem = "is being taken over"
        #: Whether it waits for partitions that are behind.
        self.is_held = False

    def start(self) -> None:
        """Take the partition over and carry it until `stop`."""
        self._task = asyncio.create_task(self._run(), name=f"lane {self.place}")

    async def stop(self) -> None:
        """Finish the transaction under way, if it ends within seconds, and stop."""
        task = self._task
        if task is None:
            return
        self._stopping.set()
        if self._is_idle:
            task.cancel()
        _, left = await asyncio.wait([task], timeout=_STOP_SECONDS)
        if left:
            task.cancel()
            await asyncio.wait([task], timeout=_STOP_SECONDS)

    @property
    def failure(self) -> BaseException | None:
        """An error that is a defect of this program; None otherwise."""
        task = self._task
        return task.exception() if task and task.done() and not task.cancelled() else None

    async def _run(self) -> None:
        wait_seconds = _RETRY_SECONDS
        while not self._stopping.is_set():
            before = self.position
            writer = self._new_writer(self.place, self._batch_bytes)
            try:
                await self._carry(writer)
            except FENCED:
                # Who else has it is over soon, or this process is: the group decides.
                self._status.fenced += 1
                self.problem = "another process writes for this partition"
                _log.info("%s: %s; taking it over again", self.place, self.problem)
            except TooLargeError as error:
                self._shrink(error)
            except FAILED as error:
                self._status.failures += 1
                self.problem = f"cannot commit: {error!r}"
                _log.warning("%s: nothing is committed, trying again: %r", self.place, error)
            finally:
                await writer.close()
            wait_seconds = (
                min(2 * wait_seconds, _RETRY_MAX_SECONDS)
                if self.position == before
                else _RETRY_SECONDS
            )
            if not self._stopping.is_set():
                self._is_idle = True
                await asyncio.sleep(wait_seconds)

    async def _carry(self, writer: Writer) -> None:
        """Take over, then carry until this lane is stopped. Raises KafkaError, TooLargeError."""
        self._is_idle = False
        await self._take_over(writer)
        self._is_idle = True
        await self._status.aligned.wait()
        self.problem = ""
        while not self._stopping.is_set():
            self._is_idle = True
            fetched = await self._source.fetch(self.place, _FETCH_SECONDS)
            if fetched is None:
                self._note(None)
                continue
            self._check_start(fetched)
            await self._carry_fetched(writer, fetched)

    async def _take_over(self, writer: Writer) -> None:
        await writer.start()
        # Only now: until the one before is fenced, it can still commit.
        committed = await self._source.committed(self.place)
        first, end = (await self._source.bounds([self.place]))[self.place]
        progress = read_progress(committed.metadata) if committed else None
        if progress is not None:
            self._reached_ms = self._announced_ms = progress.time_ms
        offset = committed.offset if committed else first
        if offset < first:
            self._lose(offset, first)
            offset = first
        self.position = offset
        self._source.seek(self.place, offset)
        self._alignment.note(
            self.place, offset, self._announced_ms, is_behind=offset < end, now_ms=_now_ms()
        )

    def _check_start(self, fetched: Fetched) -> None:
        assert self.position is not None
        if fetched.start > self.position:
            self._lose(self.position, fetched.start)
            self.position = fetched.start

    def _lose(self, offset: int, first: int) -> None:
        self._status.lost += first - offset
        _log.error(
            "%s: Kafka's retention has deleted %d records before they were read (offsets %d to %d); "
            "give the topic a longer retention.ms",
            self.place, first - offset, offset, first - 1,
        )  # fmt: skip

    async def _carry_fetched(self, writer: Writer, fetched: Fetched) -> None:
        """Map and commit all records of a fetch, in as many chunks as are needed."""
        records: Sequence[Any] = fetched.records
        begin = 0
        self._note(records[0] if records else None)
        while not self._stopping.is_set():
            now_ms = _now_ms()
            limit_ms = self._alignment.limit(self.place, now_ms)
            chunk = self._mapper.take(
                self.place.topic, self.place.partition, records,
                begin=begin, reached_ms=self._reached_ms, limit_ms=limit_ms, now_ms=now_ms,
                oversize=self._oversize,
            )  # fmt: skip
            begin += chunk.taken
            next_record = records[begin] if begin < len(records) else None
            if chunk.taken or next_record is None:
                offset = fetched.end if next_record is None else next_record.offset
                self._reached_ms = chunk.reached_ms
                await self._commit(writer, chunk.messages, offset, next_record)
                self._status.add(chunk.counts)
                if next_record is None:
                    return
            else:
                await self._wait_for_others(writer, next_record)

    async def _wait_for_others(self, writer: Writer, next_record: Any) -> None:
        """Wait, because this partition is ahead of others; first tell other processes its time."""
        assert self.position is not None
        if self._announced_ms != self._head_ms(next_record):
            await self._commit(writer, {}, self.position, next_record)
        self._is_idle = self.is_held = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._status.moved.wait(), _HELD_SECONDS)

    async def _commit(
        self, writer: Writer, messages: Messages, offset: int, next_record: Any
    ) -> None:
        """Commit messages and offset together. Raises KafkaError, TooLargeError."""
        self._is_idle = self.is_held = False
        head_ms = self._head_ms(next_record)
        began = time.monotonic()
        await writer.write(messages, offset, Progress(head_ms, self._partitions).text())
        self._status.transactions += 1
        self._status.transaction_seconds += time.monotonic() - began
        self.position, self._announced_ms = offset, head_ms
        self._note(next_record)

    def _head_ms(self, next_record: Any) -> int:
        """Return the time of the next record; without one, the newest that was read."""
        if next_record is None or next_record.timestamp > _now_ms():
            return self._reached_ms
        return max(self._reached_ms, int(next_record.timestamp))

    def _note(self, next_record: Any) -> None:
        """Tell the lanes of this process where this one is."""
        assert self.position is not None
        end = self._source.end(self.place)
        is_behind = next_record is not None or end is None or self.position < end
        self._alignment.note(
            self.place, self.position, self._head_ms(next_record),
            is_behind=is_behind, now_ms=_now_ms(),
        )  # fmt: skip
        self._status.moved.set()
        self._status.moved.clear()

    def _shrink(self, error: TooLargeError) -> None:
        """Make smaller batches; a record that is too large alone becomes a dead letter."""
        if len(error.messages) == 1:
            self._oversize |= {headers[0][1] for *_, headers in error.messages}
        else:
            self._batch_bytes = max(self._batch_bytes // 2, _MIN_BATCH_BYTES)
        _log.warning("%s: %s; trying again with smaller ones", self.place, error)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
