"""Checks Kafka before a worker starts: its topics, and that the stored counts are those of this log."""

import asyncio
import logging
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from agents.doctor.trouble import kafka_trouble, redis_trouble
from stream.kafka.metadata import ClusterMetadata, Found, log_identity
from stream.publish.log_identity import LogIdentity, Mismatch, partitions_unequal
from stream.settings.application import Settings
from stream.store.connection import connect_redis
from stream.store.shards import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from kafka import KafkaAdminClient

    from agents.doctor.rights import Right

_log = logging.getLogger(__name__)
_TOPIC_TRIES = 4
_TRY_AGAIN_SECONDS = 0.5


class CannotStartError(Exception):
    """The worker cannot start; the message says why, and what to do."""


async def find_log(settings: Settings, *, outputs: bool = True) -> LogIdentity:
    """Return what Kafka says of the input topics. Raises CannotStartError unless all are as needed.

    `outputs` asks for the topics that a worker writes as well.
    """
    inputs = settings.topics.inputs
    wanted = (*inputs, *settings.output_topics) if outputs else inputs
    found = await _look(settings, wanted)
    if hidden := sorted(found.hidden):
        await check_rights(settings)
        raise CannotStartError(
            f"Kafka shows this user no topics {', '.join(hidden)}; grant DESCRIBE and READ on the "
            "input topics, DESCRIBE and WRITE on the others, and run `engage topics create`"
        )
    if missing := sorted(set(wanted) - found.topics.keys()):
        raise CannotStartError(
            f"topics are missing: {', '.join(missing)}; create them with `engage topics create`"
        )
    counts = {topic: found.topics[topic].partitions for topic in inputs}
    if len(set(counts.values())) > 1:
        raise CannotStartError(partitions_unequal(counts).text)
    log = log_identity(found, inputs)
    if len(log.topic_ids) < len(inputs):
        _log.info(
            "the broker gives no topic ids (it is older than 2.8): a topic that is deleted and "
            "created again is noticed only if it is shorter than before"
        )
    return log


async def _look(settings: Settings, topics: tuple[str, ...]) -> Found:
    metadata = None
    try:
        metadata = ClusterMetadata(settings)
        found = await metadata.look(topics)
        for _ in range(_TOPIC_TRIES):
            if found.topics.keys() >= set(topics):
                break
            # A broker hears of topics that were just created a moment later.
            await asyncio.sleep(_TRY_AGAIN_SECONDS)
            found = await metadata.look(topics)
    except (KafkaError, OSError) as error:
        # In a thread: it connects step by step, to find the step that fails.
        trouble = await asyncio.to_thread(kafka_trouble, settings, error)
        kafka = settings.kafka
        where = f"Kafka at {kafka.bootstrap_servers} ({kafka.protocol})"
        raise CannotStartError(f"{where}: {trouble}") from error
    finally:
        if metadata is not None:
            await metadata.close()
    return found


async def check_rights(settings: Settings) -> None:
    """Refuse to start without the rights to read: Kafka's client would try for ever, in silence.

    Without the right to write, the worker counts, and says what waits. Raises CannotStartError.
    """
    from agents.doctor.rights import missing_rights

    missing = await asyncio.to_thread(_missing_rights, settings, missing_rights)
    _refuse_without(settings, [right for right in missing if right.operation == "READ"])
    user = settings.kafka.sasl_username
    for right in missing:
        _log.error("a right is missing in Kafka: %s; %s", right, right.mend(user))


async def check_intake_rights(settings: Settings) -> None:
    """Refuse to start an intake that lacks a right: it can do nothing without all of them.

    Raises CannotStartError.
    """
    from agents.doctor.intake_rights import missing_intake_rights

    missing = await asyncio.to_thread(_missing_rights, settings, missing_intake_rights)
    _refuse_without(settings, missing)


def _refuse_without(settings: Settings, needed: "list[Right]") -> None:
    if needed:
        listed = ", ".join(map(str, needed))
        mend = needed[0].mend(settings.kafka.sasl_username)
        raise CannotStartError(f"Kafka: rights are missing: {listed}; {mend}")


def _missing_rights(
    settings: Settings, find: "Callable[[Settings, KafkaAdminClient], list[Right]]"
) -> "list[Right]":
    # Imported here: only a start needs this second client of Kafka.
    from agents.commands.kafka_clients import KafkaUnreachable, open_admin, reaching

    try:
        admin = open_admin(settings)
        try:
            with reaching(settings):
                return find(settings, admin)
        finally:
            admin.close()
    except KafkaUnreachable as error:
        raise CannotStartError(str(error)) from error


async def stored_mismatch(settings: Settings, log: LogIdentity) -> Mismatch | None:
    """Compare the stored counts with the log. Raises CannotStartError if Redis does not answer."""
    client = connect_redis(settings)
    try:
        store = Store(client, settings.app, "start", log)
        store.generation = await store.live_generation()
        return await store.mismatch()
    except (RedisError, OSError) as error:
        trouble = await asyncio.to_thread(redis_trouble, settings, error)
        raise CannotStartError(f"Redis at {settings.redis.url}: {trouble}") from error
    finally:
        await client.aclose()
