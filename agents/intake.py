"""`engage intake`: checks Kafka, then carries foreign records into the input topics until SIGTERM or Ctrl-C."""

import asyncio
import logging
import sys
from importlib.metadata import version

from aiokafka.errors import KafkaError

from agents.commands.logs import setup_logging
from agents.commands.signals import exit_now, stop_signals
from agents.doctor.pages import pages_trouble
from agents.kafka_start import CannotStartError, check_intake_rights, find_log
from stream.configure.connection_errors import explain
from stream.intake.pages import Pages
from stream.intake.process import Intake, carried_sources, group_of
from stream.intake.start import keyed_for, look
from stream.intake.telemetry import Telemetry
from stream.intake.watch import changed_partitions
from stream.settings.application import Settings

_log = logging.getLogger(__name__)
_STOP_SECONDS = 7.0
_LOOK_AGAIN_SECONDS = 0.5


def run_intake(
    settings: Settings,
    *,
    accept_partitions: bool = False,
    intake_class: type[Intake] = Intake,
) -> int:
    """Run until SIGTERM or Ctrl-C; return 0, or 1 after a failure that no retry can mend.

    `accept_partitions` goes on although the input topics have other partitions than before.
    """
    setup_logging(settings)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    stopped = asyncio.Event()
    with stop_signals(lambda: loop.call_soon_threadsafe(stopped.set), code=0):
        try:
            run = IntakeRun(settings, stopped, accept_partitions, intake_class)
            code = loop.run_until_complete(run.run())
        except CannotStartError as error:
            print(f"engage: {error}", file=sys.stderr)
            code = 1
        logging.shutdown()
    exit_now(code)


class IntakeRun:
    """One run of the intake. It ends when it is asked to stop."""

    def __init__(
        self,
        settings: Settings,
        stopped: asyncio.Event,
        accept_partitions: bool,
        intake_class: type[Intake],
    ) -> None:
        self._settings = settings
        self._stopped = stopped
        self._accept_partitions = accept_partitions
        self._intake_class = intake_class
        self._pages: Pages | None = None

    async def run(self) -> int:
        """Start, carry, and stop in order; return the exit code. Raises CannotStartError."""
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stopped.wait())
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            _log.info("stopped before it has read anything")
            return 0
        intake = starting.result()
        while not self._stopped.is_set() and intake.failure is None:
            await asyncio.wait([stopping], timeout=_LOOK_AGAIN_SECONDS)
        return await self._finish(intake)

    async def _start(self) -> Intake:
        settings = self._settings
        sources = carried_sources(settings)
        if not sources:
            raise CannotStartError("nothing to carry: no [sources.NAME] has topics")
        _log.info(
            "starting engagement-stream %s: intake of app %s, Kafka at %s (%s), group %s",
            version("engagement-stream"), settings.app, settings.kafka.bootstrap_servers,
            settings.kafka.protocol, group_of(settings),
        )  # fmt: skip
        log = await find_log(settings)
        await check_intake_rights(settings)
        try:
            if not self._accept_partitions:
                await self._check_partitions(list(sources), log.partitions)
            ledger = (await look(settings, [settings.topics.ledger]))[settings.topics.ledger]
            intake = self._intake_class(settings, sources, log.partitions, ledger)
            await self._serve(intake)
            await intake.start()
        except KafkaError as error:
            raise CannotStartError(f"Kafka: {explain(error, 'kafka') or repr(error)}") from error
        return intake

    async def _check_partitions(self, topics: list[str], partitions: int) -> None:
        """Refuse to start if records were keyed for another number of partitions."""
        counted = await keyed_for(self._settings, topics) - {partitions}
        if counted:
            raise CannotStartError(changed_partitions(max(counted), f"they have {partitions}"))

    async def _serve(self, intake: Intake) -> None:
        web = self._settings.web
        pages = Pages(web, Telemetry(intake))
        try:
            await pages.start()
        except OSError as error:
            trouble = await asyncio.to_thread(pages_trouble, self._settings, error)
            raise CannotStartError(trouble) from error
        self._pages = pages
        scheme = "https" if web.tls_certfile else "http"
        _log.info("pages at %s://%s:%d: /metrics, /readyz", scheme, web.host, web.port)

    async def _finish(self, intake: Intake) -> int:
        failure = intake.failure
        _log.info("stopping: finishing the transactions under way")
        closing = [asyncio.create_task(intake.stop())]
        if self._pages is not None:
            closing.append(asyncio.create_task(self._pages.stop()))
        _, left = await asyncio.wait(closing, timeout=_STOP_SECONDS)
        _log.info("stopped%s", ": not all connections are closed" if left else "")
        if failure is not None:
            _log.error("the intake has failed: %s", failure, exc_info=failure)
            words = explain(failure, "kafka") if isinstance(failure, KafkaError) else ""
            print(f"engage: {words or failure}", file=sys.stderr)
        return 1 if failure else 0
