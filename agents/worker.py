"""`engage worker`: checks Redis and Kafka, then runs one worker until SIGTERM or Ctrl-C."""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from agents.commands.logs import setup_logging
from stream.kafka.options import aiokafka_options
from stream.settings.application import Settings
from stream.store.connection import connect_redis

_log = logging.getLogger(__name__)
_TOPIC_TRIES = 10
_STOP_SECONDS = 4.0


class CannotStartError(Exception):
    """The worker cannot start; the message says why, and what to do."""


def run_worker(settings: Settings) -> int:
    """Run until SIGTERM or Ctrl-C; return 0, or 1 after a failure that no retry can mend."""
    setup_logging(settings)
    # The collector should rarely look at the millions of long-lived strings and small objects.
    gc.set_threshold(200_000, 50, 1000)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        code = loop.run_until_complete(_run(settings))
    except CannotStartError as error:
        print(f"engage: {error}", file=sys.stderr)
        return 1
    # Everything is stored and closed. Some of Faust's tasks ignore their cancellation, and asyncio.run
    # would wait for them for ever.
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


async def _run(settings: Settings) -> int:
    from agents.app import Worker

    await check_redis(settings)
    worker = Worker(settings, await count_partitions(settings))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await worker.start()
    worker.app.finalize()
    await worker.app.start()
    await asyncio.wait(
        [loop.create_task(stopped.wait()), loop.create_task(worker.failed())],
        return_when=asyncio.FIRST_COMPLETED,
    )
    _log.info("stopping: storing the last checkpoints")
    failure = worker.failure
    # A thread, since a task that does not end may block the event loop as well. A checkpoint that it
    # interrupts is stored whole or not at all.
    watchdog = threading.Timer(2 * _STOP_SECONDS, os._exit, (1 if failure else 0,))
    watchdog.daemon = True
    watchdog.start()
    # Before the consumer stops: without it, no offset can be committed.
    await worker.finish()
    # Everything is stored; tasks that do not end in time are left behind. `wait_for` would wait for
    # a cancelled task, and some of Faust's tasks ignore their cancellation.
    for closing in (worker.app.stop(), worker.stop()):
        await asyncio.wait([loop.create_task(closing)], timeout=_STOP_SECONDS)
    if failure is not None:
        _log.error("the worker has failed: %s", failure, exc_info=failure)
        print(f"engage: {failure}", file=sys.stderr)
    return 1 if failure else 0


async def check_redis(settings: Settings) -> None:
    """Check that Redis answers, is new enough, and evicts nothing. Raises CannotStartError."""
    client = connect_redis(settings)
    try:
        info = await client.info()
    except (RedisError, OSError) as error:
        raise CannotStartError(
            f"Redis at {settings.redis.url} does not answer ({error}); start it, or set redis.url "
            "(ENGAGE_REDIS_URL)"
        ) from error
    finally:
        await client.aclose()
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise CannotStartError(
            f"Redis at {settings.redis.url} has maxmemory-policy {policy}: it would silently drop "
            "counters. Set maxmemory-policy noeviction"
        )
    release = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    if release < (6, 2):
        raise CannotStartError(f"Redis {info['redis_version']} is too old; use 6.2 or newer")


async def count_partitions(settings: Settings) -> int:
    """Return the partition count that all input topics share. Raises CannotStartError."""
    consumer = AIOKafkaConsumer(*settings.topics.inputs, **aiokafka_options(settings))
    try:
        await consumer.start()
        counts = await _partition_counts(consumer, settings)
    except (KafkaError, OSError) as error:
        raise CannotStartError(
            f"Kafka at {settings.kafka.bootstrap_servers} does not answer ({error}); start it, or "
            "set kafka.bootstrap_servers (ENGAGE_KAFKA_BOOTSTRAP_SERVERS)"
        ) from error
    finally:
        await consumer.stop()
    missing = sorted(topic for topic, count in counts.items() if not count)
    if missing:
        raise CannotStartError(
            f"topics are missing: {', '.join(missing)}; create them with `engage topics create`"
        )
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{topic} has {count}" for topic, count in sorted(counts.items()))
        raise CannotStartError(
            f"the input topics must have equal partition counts, but {listed}; a person's events "
            "would be spread over several shards. Delete them and run `engage topics create`"
        )
    return counts[settings.topics.inputs[0]]


async def _partition_counts(consumer: AIOKafkaConsumer, settings: Settings) -> dict[str, int]:
    for _ in range(_TOPIC_TRIES):
        counts = {
            topic: len(consumer.partitions_for_topic(topic) or ())
            for topic in settings.topics.inputs
        }
        if all(counts.values()):
            break
        # A broker that creates topics at first use takes a moment.
        await asyncio.sleep(0.5)
    return counts
