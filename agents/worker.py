"""`engage worker`: checks what it needs, then runs one worker until it is told to stop."""

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
    """The worker lacks something; the message says what, and what to do."""


def run_worker(settings: Settings) -> int:
    """Run until SIGTERM or Ctrl-C; 0, or 1 when something it cannot mend has stopped it."""
    setup_logging(settings)
    # Millions of long-lived strings and small objects: the collector should look at them rarely.
    gc.set_threshold(200_000, 50, 1000)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        code = loop.run_until_complete(_run(settings))
    except CannotStartError as error:
        print(f"engage: {error}", file=sys.stderr)
        return 1
    # Everything is stored and closed. Some of Faust's tasks do not heed their cancellation, and
    # asyncio.run would wait for them for ever.
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
    _log.info("stopping: last cuts, then goodbye")
    failure = worker.failure
    # A thread of its own, since what does not let go may hold up the event loop as well. A cut that
    # it interrupts is stored whole or not at all.
    watchdog = threading.Timer(2 * _STOP_SECONDS, os._exit, (1 if failure else 0,))
    watchdog.daemon = True
    watchdog.start()
    # While the consumer still lives: after that, nothing can be committed.
    await worker.finish()
    # Everything is stored: what does not let go in time is let go of. Not by wait_for, which waits
    # for the cancelled task, and some of Faust's do not heed that.
    for closing in (worker.app.stop(), worker.stop()):
        await asyncio.wait([loop.create_task(closing)], timeout=_STOP_SECONDS)
    if failure is not None:
        _log.error("the worker has failed", exc_info=failure)
        print(f"engage: {failure}", file=sys.stderr)
    return 1 if failure else 0


async def check_redis(settings: Settings) -> None:
    """Raises CannotStartError unless Redis answers, is new enough, and keeps what it is given."""
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
            f"Redis at {settings.redis.url} has maxmemory-policy {policy}: it would drop counters "
            "unseen. Set maxmemory-policy noeviction"
        )
    release = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    if release < (6, 2):
        raise CannotStartError(f"Redis {info['redis_version']} is too old; 6.2 is the least")


async def count_partitions(settings: Settings) -> int:
    """The equal partition count of all input topics. Raises CannotStartError."""
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
            "would be spread over several shards. Create them anew with `engage topics create`"
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
        # A broker that makes topics on first use takes a moment.
        await asyncio.sleep(0.5)
    return counts
