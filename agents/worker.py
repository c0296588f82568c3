"""`engage worker`: checks Redis and Kafka, then runs one worker until SIGTERM or Ctrl-C."""

import asyncio
import logging
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from agents.commands.logs import setup_logging
from agents.commands.signals import exit_now, stop_signals
from agents.doctor.pages import pages_trouble
from agents.doctor.trouble import redis_trouble
from agents.kafka_start import CannotStartError, check_rights, find_log, stored_mismatch
from stream.configure.connection_errors import explain
from stream.intake.process import carried_topics
from stream.settings.application import Settings
from stream.store.connection import connect_server
from stream.worker.process.garbage import COLLECTOR

if TYPE_CHECKING:
    from agents.app import Worker

_log = logging.getLogger(__name__)
#: Longest waits of a worker that stops; together less than `signals.END_SECONDS`.
_STORE_SECONDS, _CLOSE_SECONDS = 4.5, 3.0


def run_worker(settings: Settings) -> int:
    """Run until SIGTERM or Ctrl-C; return 0, or 1 after a failure that no retry can mend."""
    setup_logging(settings)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    stopped = asyncio.Event()
    with stop_signals(lambda: loop.call_soon_threadsafe(stopped.set), code=0):
        try:
            code = loop.run_until_complete(WorkerRun(settings, stopped).run())
        except CannotStartError as error:
            print(f"engage: {error}", file=sys.stderr)
            code = 1
        # What must be stored is stored. Faust's tasks may ignore their cancellation, and threads of
        # libraries wait for servers: the usual end of the interpreter would wait for them.
        logging.shutdown()
    exit_now(code)


class WorkerRun:
    """One run of a worker. Each step ends when the worker is asked to stop."""

    def __init__(self, settings: Settings, stopped: asyncio.Event) -> None:
        self._settings = settings
        self._stopped = stopped
        self._worker: Worker | None = None

    async def run(self) -> int:
        """Start, work, and stop in order; return the exit code. Raises CannotStartError."""
        loop = asyncio.get_running_loop()
        stop, starting = (
            loop.create_task(self._stopped.wait()), loop.create_task(self._start())
        )  # fmt: skip
        await asyncio.wait([stop, starting], return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            worker = starting.result()
            ready = loop.create_task(worker.announce_ready())
            await asyncio.wait(
                [stop, loop.create_task(worker.failed())], return_when=asyncio.FIRST_COMPLETED
            )
            ready.cancel()
        if self._worker is None:
            _log.info("stopped before it has read anything")
            return 0
        return await self._finish(self._worker)

    async def _start(self) -> "Worker":
        from agents.app import Worker

        settings = self._settings
        _log.info(
            "starting engagement-stream %s: app %s, Kafka at %s (%s), Redis at %s",
            version("engagement-stream"), settings.app, settings.kafka.bootstrap_servers,
            settings.kafka.protocol, settings.redis.url,
        )  # fmt: skip
        if topics := carried_topics(settings):
            _log.info("engage intake carries %s; workers do not read it", ", ".join(topics))
        await check_redis(settings)
        log = await find_log(self._settings)
        await check_rights(self._settings)
        if mismatch := await stored_mismatch(self._settings, log):
            raise CannotStartError(mismatch.text)
        worker = Worker(self._settings, log)
        if not self._stopped.is_set():
            self._worker = worker
            try:
                await worker.start()
            except OSError as error:
                trouble = await asyncio.to_thread(pages_trouble, settings, error)
                raise CannotStartError(trouble) from error
            worker.app.finalize()
            await worker.app.start()
        COLLECTOR.begin()
        return worker

    async def _finish(self, worker: "Worker") -> int:
        """Store the last checkpoints and close what can be closed in time; return the exit code.

        What was not stored is read again from Kafka, by the next owner of the shard.
        """
        _log.info("stopping: storing the last checkpoints")
        loop = asyncio.get_running_loop()
        began, failure = loop.time(), worker.failure
        # Before the consumer stops: without it, no offset can be committed. `wait`, because
        # `wait_for` would wait for a cancelled task, and some of Faust's ignore their cancellation.
        storing = loop.create_task(worker.finish())
        await asyncio.wait([storing], timeout=_STORE_SECONDS)
        if not storing.done():
            _log.warning("Redis does not answer: the next worker reads on from earlier checkpoints")
        closing = [loop.create_task(worker.app.stop()), loop.create_task(worker.stop())]
        _, left = await asyncio.wait(closing, timeout=_CLOSE_SECONDS)
        stored = "the last checkpoints are stored" if storing.done() else "not all is stored"
        closed = "not all connections are closed" if left else "connections are closed"
        _log.info("stopped in %.1f s: %s, %s", loop.time() - began, stored, closed)
        if failure is not None:
            _log.error("the worker has failed: %s", failure, exc_info=failure)
            group = self._settings.consumer_group
            words = (
                explain(failure, "kafka", group=group) if isinstance(failure, KafkaError) else ""
            )
            print(f"engage: {words or failure}", file=sys.stderr)
        return 1 if failure else 0


async def check_redis(settings: Settings) -> None:
    """Check that Redis answers, is what the settings say, and evicts nothing.

    Raises CannotStartError.
    """
    # One server, also of a cluster: a client of clusters tries for minutes before it says no.
    client = connect_server(settings)
    try:
        info = await client.info()
    except (RedisError, OSError) as error:
        # In a thread: it connects step by step, to find the step that fails.
        trouble = await asyncio.to_thread(redis_trouble, settings, error)
        raise CannotStartError(f"Redis at {settings.redis.url}: {trouble}") from error
    finally:
        await client.aclose()
    is_cluster = bool(info.get("cluster_enabled"))
    if is_cluster != settings.redis.cluster:
        raise CannotStartError(
            f"Redis at {settings.redis.url} is {'' if is_cluster else 'not '}a cluster; set "
            f"redis.cluster = {str(is_cluster).lower()} (ENGAGE_REDIS_CLUSTER)"
        )
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise CannotStartError(
            f"Redis at {settings.redis.url} has maxmemory-policy {policy}: it would silently drop "
            "counters. Set maxmemory-policy noeviction"
        )
    release = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    if release < (6, 2):
        raise CannotStartError(f"Redis {info['redis_version']} is too old; use 6.2 or newer")
