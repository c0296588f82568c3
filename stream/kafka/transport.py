"""Faust's Kafka transport, delivering one fetch of one partition as one message.

Faust spends about 150 µs on each message, so a message is a batch. Two of Faust's decisions are
overridden because they break the design:

- The assignor. Without changelog tables and standbys, Faust takes one that does not keep equal
  partition numbers together. With standbys, its own leaves a worker that joins without partitions.
- The fetch wait of 1.5 s. It stalls a partition that has data while its neighbours have none.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, ClassVar, cast

import aiokafka
from aiokafka.errors import (
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.structs import TopicPartition
from faust.assignor.partition_assignor import PartitionAssignor
from faust.serializers.codecs import Codec, register
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT
from faust.types.tuples import ConsumerMessage

from stream.kafka.fetch import Fetched, take_fetched

SCHEME = "engage"
CODEC = "engage-batch"

#: Takes over the assigned partitions; returns the offset to read each from.
Assigned = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]


class _Unchanged(Codec):
    """Passes a batch through Faust's decoding: it is not bytes."""

    def _loads(self, s: Any) -> Any:
        return s

    def _dumps(self, s: Any) -> Any:
        return s


class Assignor(PartitionAssignor):
    """Faust's assignor without standbys, although a number of standbys selects it.

    Without standbys it takes partitions from workers that have more than their share. With standbys,
    two workers with two partitions each keep them when a third worker joins, and that one gets none.
    """

    def __init__(self, app: AppT, replicas: int = 0) -> None:
        super().__init__(app, replicas=0)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's Kafka thread, handing out whole fetches."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        if self._assignor is not self.app.assignor:
            raise RuntimeError("table_standby_replicas must be positive: it selects the assignor")
        wait_ms = cast(Transport, transport).fetch_max_wait_ms
        consumer._fetch_max_wait_ms = wait_ms
        # Records of an aborted transaction must not count.
        consumer._isolation_level = "read_committed"
        return consumer

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP] | None,
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Any:
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        self._take_group_errors(consumer._coordinator)
        with fetcher._subscriptions.fetch_context():
            return await take_fetched(fetcher, active_partitions, timeout or 0.0)

    def _take_group_errors(self, group: Any) -> None:
        """Raise what ends the membership of the group; aiokafka waits until its errors are taken.

        Without its membership, a worker would read on and fight for shards that others have taken over.
        """
        try:
            group.check_errors()
        except (GroupAuthorizationFailedError, TopicAuthorizationFailedError):
            raise
        except KafkaError as error:
            if group._coordination_task.done():
                raise
            self.log.warning("the consumer group failed, trying again: %r", error)

    async def commit_quietly(self, offsets: Mapping[TP, int]) -> None:
        """Commit offsets for lag tools. Ignore failures: nothing else depends on the commit."""
        # At the last checkpoint of a worker that stops, the thread may be gone already.
        with contextlib.suppress(RuntimeError):
            await self.call_thread(self._commit_assigned, offsets)

    async def _commit_assigned(self, offsets: Mapping[TP, int]) -> None:
        """Commit once, by a request of our own.

        After a refusal, aiokafka's own commit forgets its membership and joins the group again. A
        commit during a rebalance is always refused, so each join would lead to the next one.
        """
        consumer = self._ensure_consumer()
        group, assigned = consumer._coordinator, consumer.assignment()
        wanted: dict[str, list[tuple[int, int, str]]] = {}
        for tp, offset in offsets.items():
            if TopicPartition(*tp) in assigned:
                wanted.setdefault(tp.topic, []).append((tp.partition, offset, ""))
        if not wanted or group._performed_join_prepare or group.generation < 0:
            return
        request = OffsetCommitRequest(
            group.group_id,
            group.generation,
            group.member_id,
            OffsetCommitRequest.DEFAULT_RETENTION_TIME,
            list(wanted.items()),
        )
        try:
            await group._send_req(request)
        except KafkaError as error:
            self.log.debug("offsets not committed: %r", error)

    async def committed(self, tps: set[TP]) -> Mapping[TP, int]:
        """Return the group's committed offsets, of the partitions that have one. Raises KafkaError."""
        return cast(Mapping[TP, int], await self.call_thread(self._committed, tps))

    async def _committed(self, tps: set[TP]) -> dict[TP, int]:
        group = self._ensure_consumer()._coordinator
        found = await group.fetch_committed_offsets([TopicPartition(*tp) for tp in tps])
        return {TP(*tp): state.offset for tp, state in found.items()}

    def read_to(self, tp: TP) -> tuple[int | None, int | None]:
        """Return the end of the log at the last fetch, and its epoch ms; None before the first fetch."""
        consumer, own = self._ensure_consumer(), TopicPartition(*tp)
        if own not in consumer.assignment():
            return None, None
        end, highwater = consumer.last_stable_offset(own), consumer.highwater(own)
        # The embedded broker, librdkafka's mock cluster, answers no last stable offset.
        known = end if end is not None and end >= 0 else highwater
        return known, consumer.last_poll_timestamp(own)


class _NothingDelivered(dict[TP, int | None]):
    """Replaces Faust's record of the offsets it has delivered: always empty.

    Faust notes an offset after its delivery and drops every record before it. A delivery that waits
    during a seek is noted after the seek. Faust would then drop all records read again from there,
    without a message. The shard itself recognises the records it has seen.
    """

    def __getitem__(self, tp: TP) -> None:
        return None


class Consumer(driver.Consumer):
    """Faust's consumer, reading from the offsets of the stored checkpoints, not of Kafka."""

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NothingDelivered()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        """Yield one message per partition, with all records of its last fetch."""
        transport = cast(Transport, self.transport)
        await transport.room()
        fetched, active = await self._wait_next_records(timeout)
        for tp, batch in (fetched or {}).items():
            # Drop a batch only if a seek follows. A shard sees a lost batch by the gap before the
            # next one, and there may be no next one. After a rebalance, the shard recognises stale
            # batches.
            if self.should_stop or not self.flow_active:
                return
            if active is None or tp in active or tp in self._buffered_partitions:
                transport.delivered()
                yield tp, self._batch_message(tp, cast(Fetched, batch))

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Claim the assigned partitions and seek to the offsets of their stored checkpoints.

        Faust calls this after every rebalance; it would overwrite a seek from a rebalance hook.
        """
        offsets = await cast(Transport, self.transport).assigned(set(self.assignment()))
        if offsets:
            await self._thread.seek_wait(offsets)
        return offsets

    async def rewind(self, offsets: Mapping[TP, int]) -> None:
        """Seek to these offsets, as far as the partitions are still assigned."""
        mine = self.assignment()
        wanted = {tp: offset for tp, offset in offsets.items() if tp in mine}
        if wanted:
            await self._thread.seek_wait(wanted)

    def _batch_message(self, tp: TP, batch: Fetched) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic, tp.partition, batch.start, 0.0, 0, [], None, cast(bytes, batch), None,
            generation_id=self.app.consumer_generation_id, tp=tp,
        )  # fmt: skip


class Transport(driver.Transport):
    """The transport of the scheme `engage://`. The app sets the three callables before it starts."""

    Consumer: ClassVar[type] = Consumer

    fetch_max_wait_ms: int = 100
    assigned: Assigned
    #: Returns once there is room for more batches in memory.
    room: Callable[[], Awaitable[None]]
    #: Called with each batch that is handed to its agent.
    delivered: Callable[[], None]


def register_transport() -> None:
    """Make the scheme and the codec known to Faust."""
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
    register(CODEC, _Unchanged())
