"""`engage intake`: checks Kafka, then carries foreign records into the input topics until SIGTERM or Ctrl-C."""

import asyncio
import logging
import sys
from importlib.metadata import version

from aiokafka.errors import KafkaError

from agents.commands.logs import setup_logging
from agents.commands.signals import exit_now, stop_signals
from agents.kafka_start import CannotStartError, find_log
from stream.configure.connection_errors import explain
from stream.intake.process import Intake, carried_sources, group_of
from stream.kafka.metadata import ClusterMetadata
from stream.settings.application import Settings

_log = logging.getLogger(__name__)
_STOP_SECONDS = 7.0
_LOOK_AGAIN_SECONDS = 0.5


def run_intake(settings: Settings, intake_class: type[Intake] = Intake) -> int:
    """Run until SIGTERM or Ctrl-C; return 0, or 1 after a failure that no retry can mend."""
    setup_logging(settings)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    stopped = asyncio.Event()
    with stop_signals(lambda: loop.call_soon_threadsafe(stopped.set), code=0):
        try:
            code = loop.run_until_complete(_run(settings, stopped, intake_class))
        except CannotStartError as error:
            print(f"engage: {error}", file=sys.stderr)
            code = 1
        logging.shutdown()
    exit_now(code)


async def _run(settings: Settings, stopped: asyncio.Event, intake_class: type[Intake]) -> int:
    starting = asyncio.create_task(_start(settings, intake_class))
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        _log.info("stopped before it has read anything")
        return 0
    intake = starting.result()
    while not stopped.is_set() and intake.failure is None:
        await asyncio.wait([stopping], timeout=_LOOK_AGAIN_SECONDS)
    failure = intake.failure
    _log.info("stopping: finishing the transactions under way")
    _, left = await asyncio.wait([asyncio.create_task(intake.stop())], timeout=_STOP_SECONDS)
    _log.info("stopped%s", ": not all connections are closed" if left else "")
    if failure is not None:
        _log.error("the intake has failed: %s", failure, exc_info=failure)
        words = explain(failure, "kafka") if isinstance(failure, KafkaError) else ""
        print(f"engage: {words or failure}", file=sys.stderr)
    return 1 if failure else 0


async def _start(settings: Settings, intake_class: type[Intake]) -> Intake:
    sources = carried_sources(settings)
    if not sources:
        raise CannotStartError(
            'no source needs an intake: none of [sources.NAME] has topics and key = "other"'
        )
    _log.info(
        "starting engagement-stream %s: intake of app %s, Kafka at %s (%s), group %s",
        version("engagement-stream"), settings.app, settings.kafka.bootstrap_servers,
        settings.kafka.protocol, group_of(settings),
    )  # fmt: skip
    log = await find_log(settings)
    intake = intake_class(settings, sources, log.partitions, await _ledger_partitions(settings))
    try:
        await intake.start()
    except KafkaError as error:
        raise CannotStartError(f"Kafka: {explain(error, 'kafka') or error!r}") from error
    return intake


async def _ledger_partitions(settings: Settings) -> int:
    metadata = ClusterMetadata(settings)
    try:
        found = await metadata.look([settings.topics.ledger])
    finally:
        await metadata.close()
    return found.topics[settings.topics.ledger].partitions
