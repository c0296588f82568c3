"""`engage state adopt`: takes the counts for those of topics that were moved with their offsets."""

import asyncio
import sys
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from faust.types import TP

from agents.commands.state.list_states import note_progress
from agents.kafka_start import CannotStartError, find_log
from stream.engine.checkpoint import read_stored
from stream.kafka.options import aiokafka_options
from stream.publish.log_identity import LogIdentity, partitions_changed
from stream.settings.application import Settings
from stream.store.connection import connect_redis
from stream.store.holding import Hold, StateOwnedError, check_unowned
from stream.store.inventory import FoundState, find_apps
from stream.store.keys import ShardKeys
from stream.store.log_identity import log_fields
from stream.store.stored_meta import alive_seconds

_COMMAND = "adopt"


class CannotAdoptError(Exception):
    """The counts cannot be those of this log; the message says why, and what to do."""


def run_adopt(settings: Settings) -> int:
    """Delete the stored ids of cluster and topics: the next claim stores the current ones; 1 if refused."""
    try:
        asyncio.run(_run(settings))
    except (CannotAdoptError, CannotStartError, StateOwnedError) as error:
        print(f"engage: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(settings: Settings) -> None:
    log = await find_log(settings, outputs=False)
    client = connect_redis(settings)
    try:
        app = (await find_apps(client, note_progress, settings.app)).get(settings.app)
        state = app.live_state if app else None
        if state is None:
            raise CannotAdoptError(
                f"app {settings.app!r} has no state in this Redis; see `engage state list`"
            )
        await _check_offsets(settings, state, log)
        await check_unowned(client, state, note_progress, alive_seconds(settings))
        await _forget_ids(client, state)
    finally:
        await client.aclose()
    print(f"the next workers count on from the stored offsets in Kafka cluster {log.cluster}")


async def _check_offsets(settings: Settings, state: FoundState, log: LogIdentity) -> None:
    """Raise CannotAdoptError unless the log has every stored offset."""
    for meta in state.metas:
        if meta.partitions != str(log.partitions):
            found = partitions_changed(settings.app, int(meta.partitions), log.partitions)
            raise CannotAdoptError(found.text)
    wanted = {
        TP(topic, partition): stored.next
        for partition, shard in state.shards.items()
        if shard.meta is not None and shard.meta.raw.get(b"state")
        for topic, stored in read_stored(shard.meta.raw[b"state"]).topics.items()
        if topic in settings.topics.inputs
    }
    if not wanted:
        return
    tps = [TopicPartition(*tp) for tp in wanted]
    consumer = AIOKafkaConsumer(**aiokafka_options(settings))
    await consumer.start()
    try:
        first, end = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
    finally:
        await consumer.stop()
    for tp in tps:
        offset = wanted[TP(*tp)]
        if not first[tp] <= offset <= end[tp]:
            raise CannotAdoptError(
                f"{tp.topic}[{tp.partition}] has the offsets {first[tp]} to {end[tp]}, but the counts "
                f"go on at {offset}: the topics were not moved with their offsets. Set another `app`, "
                "or count again with `engage backfill`"
            )


async def _forget_ids(client: Any, state: FoundState) -> None:
    hold = Hold(client, state.name, _COMMAND)
    stored = [partition for partition, shard in sorted(state.shards.items()) if shard.meta]
    await hold.take(stored)
    for partition in stored:
        meta = state.shards[partition].meta
        assert meta is not None
        fields = log_fields(field.decode() for field in meta.raw)
        await hold.write(partition, "HDEL", ShardKeys(state.name, partition).meta, fields)
    await hold.release()
