"""Faust's Kafka transport, delivering one fetch of one partition as one message.

Faust spends about 150 µs on each message it drains, so the message is a batch. Two of its decisions
are overridden, since they break this design: the assignor (without changelog tables and standbys it
silently takes one that does not keep equal partition numbers together; with standbys it leaves a
worker that joins idle), and a fetch wait of 1.5 s, which stalls a partition that has data while its
neighbours have none.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, ClassVar, cast

import aiokafka
from aiokafka.errors import ConsumerStoppedError, KafkaError
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

#: Called with all assigned partitions; answers where to read each from.
Assigned = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]


class _Unchanged(Codec):
    """A batch is no bytes: Faust's decoding hands it through."""

    def _loads(self, s: Any) -> Any:
        return s

    def _dumps(self, s: Any) -> Any:
        return s


class Assignor(PartitionAssignor):
    """Faust's assignor, told that there are no standbys whatever selected it.

    Only then does it take partitions from those who have more than their share: with standbys, two
    workers that hold two partitions each keep them when a third one joins, and that one gets none.
    """

    def __init__(self, app: AppT, replicas: int = 0) -> None:
        super().__init__(app, replicas=0)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that talks to Kafka; hands out whole fetches."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        if self._assignor is not self.app.assignor:
            raise RuntimeError("table_standby_replicas must be positive: it selects the assignor")
        wait_ms = cast(Transport, transport).fetch_max_wait_ms
        consumer._fetch_max_wait_ms = wait_ms
        # What a producer has rolled back was never said.
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
        with fetcher._subscriptions.fetch_context():
            return await take_fetched(fetcher, active_partitions, timeout or 0.0)

    async def commit_quietly(self, offsets: Mapping[TP, int]) -> None:
        """Tell Kafka how far the cuts are. Nothing depends on it but lag tools, so failures pass."""
        # The last cut of a worker that stops finds the thread gone already.
        with contextlib.suppress(RuntimeError):
            await self.call_thread(self._commit_assigned, offsets)

    async def _commit_assigned(self, offsets: Mapping[TP, int]) -> None:
        """Commit once, by a request of our own.

        aiokafka's commit answers a refusal by forgetting its membership and asking to join anew. A
        commit while the group is rebalancing is always refused, so each join led to the next one.
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

    def read_to(self, tp: TP) -> tuple[int | None, int | None]:
        """(end of the log as of the last fetch, epoch ms of that fetch); None before the first."""
        consumer, own = self._ensure_consumer(), TopicPartition(*tp)
        if own not in consumer.assignment():
            return None, None
        end, highwater = consumer.last_stable_offset(own), consumer.highwater(own)
        # librdkafka's mock cluster, the embedded broker, does not tell the stable end.
        known = end if end is not None and end >= 0 else highwater
        return known, consumer.last_poll_timestamp(own)


class _NothingRead(dict[TP, int | None]):
    """Faust's memory of how far each partition was delivered, which it never looks back behind.

    It notes an offset after the delivery. A delivery that waits while its partition is sought back is
    noted after the seek, and Faust would drop all that is read again from there, in silence, and for
    ever where nothing new follows. What has been delivered before is for the shard to recognise.
    """

    def __getitem__(self, tp: TP) -> None:
        return None


class Consumer(driver.Consumer):
    """Faust's consumer; where it starts to read is decided by the stored cuts, not by Kafka."""

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NothingRead()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        """One message a partition, holding everything that its last fetch brought."""
        transport = cast(Transport, self.transport)
        await transport.room()
        fetched, active = await self._wait_next_records(timeout)
        for tp, batch in (fetched or {}).items():
            # Dropped only when a seek is to follow: a shard that misses a batch sees the gap with
            # the next one, and the next one may never come. What a rebalance has made stale is for
            # the shard to recognise.
            if self.should_stop or not self.flow_active:
                return
            if active is None or tp in active or tp in self._buffered_partitions:
                transport.delivered()
                yield tp, self._batch_message(tp, cast(Fetched, batch))

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Claim what is assigned and read on from the stored cuts.

        Faust calls this after every rebalance; a seek from a rebalance hook would be overwritten.
        """
        offsets = await cast(Transport, self.transport).assigned(set(self.assignment()))
        if offsets:
            await self._thread.seek_wait(offsets)
        return offsets

    async def rewind(self, offsets: Mapping[TP, int]) -> None:
        """Read again from these offsets, as far as the partitions are still assigned."""
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
    """Registered as the scheme `engage://`. The app sets the three calls before it starts."""

    Consumer: ClassVar[type] = Consumer

    fetch_max_wait_ms: int = 100
    assigned: Assigned
    #: Returns when there is room for more batches: the bound on what waits in memory.
    room: Callable[[], Awaitable[None]]
    #: A batch is on its way to its agent.
    delivered: Callable[[], None]


def register_transport() -> None:
    """Make the scheme and the codec known to Faust."""
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
    register(CODEC, _Unchanged())
