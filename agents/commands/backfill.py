"""`engage backfill`: counts the Kafka log again from its beginning, then makes the new counts live."""

import asyncio
import sys
import time

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from redis.exceptions import RedisError

from agents.commands.signals import run_until_stopped
from agents.commands.state.before_backfill import check_other_backfills, check_settings
from agents.kafka_start import CannotStartError, find_log, stored_mismatch
from agents.worker import check_redis
from stream.configure.compile import build_rules
from stream.kafka.options import aiokafka_options
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import required_grains
from stream.publish.log_identity import LogIdentity
from stream.publish.staleness import StaleReason
from stream.settings.application import Settings
from stream.store.connection import RedisClient, connect_redis
from stream.store.shards import Store
from stream.worker.backfill import Backfill, ConsumerBounds, Progress
from stream.worker.loading import Loader
from stream.worker.process.garbage import COLLECTOR

_REPORT_SECONDS = 2.0
#: Longest wait for the workers, which look for a new generation once a second.
_TAKE_OVER_SECONDS = 60.0


def run_backfill(settings: Settings, *, accept_loss: bool, other_settings: bool) -> int:
    """Fill a new generation of the state and make it live; 1 with a message if that is impossible."""
    try:
        run_until_stopped(_run(settings, accept_loss, other_settings))
    except CannotStartError as error:
        print(f"engage: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(settings: Settings, accept_loss: bool, other_settings: bool) -> None:
    await check_redis(settings)
    log = await find_log(settings, outputs=False)
    mismatch = await stored_mismatch(settings, log)
    if mismatch is not None and mismatch.reason == StaleReason.OTHER_CLUSTER:
        raise CannotStartError(mismatch.text)
    if mismatch is not None and mismatch.reason == StaleReason.TOPIC_REPLACED and not accept_loss:
        raise CannotStartError(
            f"{mismatch.text}. Records of the old topic are gone: their counts would be lost"
        )
    redis = connect_redis(settings)
    consumer = AIOKafkaConsumer(
        **aiokafka_options(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=settings.kafka.max_partition_fetch_bytes,
    )
    await consumer.start()
    try:
        await _check_beginning(settings, consumer, log.partitions, accept_loss)
        await _fill_and_swap(settings, redis, consumer, log, other_settings)
    finally:
        await consumer.stop()
        await redis.aclose()


async def _check_beginning(
    settings: Settings, consumer: AIOKafkaConsumer, partitions: int, accept_loss: bool
) -> None:
    """Raise CannotStartError if Kafka has deleted records that the live state may have counted."""
    tps = [TopicPartition(t, p) for t in settings.topics.inputs for p in range(partitions)]
    lost = sum((await consumer.beginning_offsets(tps)).values())
    if lost and not accept_loss:
        raise CannotStartError(
            f"Kafka no longer has {lost:,} records; their counts would be lost. Keep the present "
            "state, or accept the loss with --accept-loss"
        )


async def _fill_and_swap(
    settings: Settings,
    redis: RedisClient,
    consumer: AIOKafkaConsumer,
    log: LogIdentity,
    other_settings: bool,
) -> None:
    metrics, rules = catalogue(settings), build_rules(settings)
    partitions = log.partitions
    owner = f"backfill:{time.time_ns():x}"
    live = Store(redis, settings.app, owner, partitions)
    live.generation = await live.live_generation()
    await check_other_backfills(redis, settings)
    await check_settings(redis, settings, live, accepted=other_settings)
    filled = Store(redis, settings.app, owner, log)
    filled.generation = f"g{int(time.time())}"
    shown = _ShownProgress(partitions)
    loader = Loader(settings, rules, required_grains(metrics), filled, ConsumerBounds(consumer))
    backfill = Backfill(settings, loader, filled, consumer, shown.report)
    print(f"counting generation {filled.generation}; the live numbers go on", file=sys.stderr)
    try:
        COLLECTOR.begin()
        await backfill.run(partitions)
        # Again: they may have been restarted meanwhile.
        await check_settings(redis, settings, live, accepted=other_settings)
    except BaseException:
        await _drop(filled, partitions)
        raise
    await filled.make_live()
    if not await _taken_over(filled, partitions):
        print(
            f"{filled.generation} is live now, but no worker took it over within "
            f"{_TAKE_OVER_SECONDS:.0f} s; the next one that starts will. The old generation is kept",
            file=sys.stderr,
        )
        return
    for partition in range(partitions):
        await live.forget(partition)
    await live.forget_published()
    print(f"the workers go on in {filled.generation}; the old one is deleted", file=sys.stderr)


async def _drop(filled: Store, partitions: int) -> None:
    """Delete the unfinished generation, or say how."""
    command = f"engage state remove --generation {filled.generation}"
    try:
        for partition in range(partitions):
            await filled.forget(partition)
    except (RedisError, OSError) as error:
        print(f"engage: the new counts are left: `{command}` ({error})", file=sys.stderr)
    else:
        print("engage: the new counts are deleted; the live ones are as before", file=sys.stderr)


async def _taken_over(filled: Store, partitions: int) -> bool:
    """Wait until live workers own every shard of the new generation; False if time runs out."""
    deadline = time.monotonic() + _TAKE_OVER_SECONDS
    while time.monotonic() < deadline:
        owners = [(await filled.owner(partition))[0] for partition in range(partitions)]
        if filled.owner_name not in owners:
            return True
        await asyncio.sleep(1.0)
    return False


class _ShownProgress:
    """Progress of all partitions, printed every few seconds."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._at = time.monotonic()
        self._found: dict[int, Progress] = {}

    def report(self, progress: Progress) -> None:
        self._found[progress.partition] = progress
        if time.monotonic() - self._at < _REPORT_SECONDS:
            return
        self._at = time.monotonic()
        passed = sum(one.passed for one in self._found.values())
        total = sum(one.total for one in self._found.values())
        print(
            f"partition {progress.partition + 1} of {self._partitions}: {passed:,} of {total:,} "
            "records of the partitions so far",
            file=sys.stderr,
        )
