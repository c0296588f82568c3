"""Sends simulated traffic to Kafka as time passes: for the demonstration and `engage simulate`."""

import secrets
import threading
import time
from collections.abc import Callable, Iterable

from kafka import TopicPartition

from agents.commands.kafka_clients import KafkaUnreachable, Sender, open_consumer, reaching
from agents.commands.signals import stop_signals
from agents.simulation.traffic import Sent, Traffic, Trouble
from stream.settings.application import Settings

HISTORY_DAYS = 35
REPORT_SECONDS = 10.0
# Short slices, so that an event is sent soon after its time.
SLICE_SECONDS = 0.2
STOP_SECONDS = 2.0


class Simulation:
    """Sends one traffic to the input topics: its past at once, its present as time passes."""

    def __init__(
        self,
        settings: Settings,
        traffic: Traffic,
        sender: Sender,
        stop: threading.Event,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`stop` ends the sending, of the past as well."""
        self._topics = settings.topics
        self._traffic = traffic
        self._sender = sender
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._stop = stop
        #: Error that ended it.
        self.error: KafkaUnreachable | None = None
        self.sent = 0

    def send_history(self, days: int, end_ms: int) -> int:
        """Send the past up to `end_ms`, wait until Kafka has it, and return its number of events."""
        before = self.sent
        self._send(self._traffic.history(days, end_ms))
        self._sender.flush()
        return self.sent - before

    def start(self, start_ms: int) -> None:
        """Send the traffic from `start_ms` on, in a thread, until `stop`."""
        self._thread = threading.Thread(target=self._run, args=(start_ms,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, within a few seconds."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _run(self, start_ms: int) -> None:
        try:
            while not self._stop.wait(SLICE_SECONDS):
                end_ms = int(self._clock() * 1000)
                # A clock that was set back gives an empty slice, so no event is sent twice.
                if end_ms > start_ms:
                    self._send(self._traffic.between(start_ms, end_ms))
                    start_ms = end_ms
        except KafkaUnreachable as error:
            self.error = error

    def _send(self, records: Iterable[Sent]) -> None:
        first = self._topics.inputs[0]
        for record in records:
            if self._stop.is_set():
                return
            # Events of a topic that is switched off go to the first topic; it may carry any type.
            topic = getattr(self._topics, record.role) or first
            self._sender.send(topic, record.key, record.raw)
            self.sent += 1


def simulated_traffic(
    settings: Settings, seed: int, rate: float, trouble: Trouble | None, now_ms: int
) -> Traffic:
    """Build the traffic for the sites of the settings."""
    spike, after, seconds = trouble or (None, 0.0, 0.0)
    return Traffic(
        seed,
        rate,
        tuple(settings.sites) or ("default",),
        spike=spike,
        spike_at_ms=now_ms + int(after * 1000),
        spike_seconds=seconds,
        identity=settings.identity,
    )


def run_simulate(
    settings: Settings, *, rate: float, trouble: Trouble | None, seconds: float | None
) -> int:
    """Send until Ctrl-C or SIGTERM, or for `seconds`, and return 0.

    Raises KafkaUnreachable.
    """
    is_first = _inputs_are_empty(settings)
    now_ms = int(time.time() * 1000)
    # A new seed each time: event ids of an earlier run would be duplicates.
    traffic = simulated_traffic(settings, secrets.randbits(32), rate, trouble, now_ms)
    sender = Sender(settings)
    try:
        with stop_signals() as stop:
            simulation = Simulation(settings, traffic, sender, stop)
            # A past that is sent again would be late, and fill the dead letters.
            if is_first:
                past = simulation.send_history(HISTORY_DAYS, now_ms)
                print(f"sent {past} events of the past {HISTORY_DAYS} days", flush=True)
            simulation.start(now_ms)
            _report(simulation, stop, seconds)
            simulation.stop()
        if simulation.error is not None:
            raise simulation.error
    finally:
        sender.close()
    return 0


def _report(simulation: Simulation, stop: threading.Event, seconds: float | None) -> None:
    """Print the count now and then, until it is time to stop or the simulation ends."""
    end = None if seconds is None else time.monotonic() + seconds
    printed = time.monotonic()
    while simulation.error is None and (end is None or time.monotonic() < end):
        if stop.wait(SLICE_SECONDS):
            return
        if time.monotonic() - printed >= REPORT_SECONDS:
            printed = time.monotonic()
            print(f"sent {simulation.sent} events", flush=True)


def _inputs_are_empty(settings: Settings) -> bool:
    """Whether no input topic ever had a record. Raises KafkaUnreachable."""
    consumer = open_consumer(settings)
    try:
        with reaching(settings):
            known = {name: consumer.partitions_for_topic(name) for name in settings.topics.inputs}
            ends = consumer.end_offsets(
                [TopicPartition(name, number) for name in known for number in known[name] or ()]
            )
    finally:
        consumer.close()
    missing = sorted(name for name, numbers in known.items() if not numbers)
    if missing:
        raise KafkaUnreachable(
            f"topics are missing at {settings.kafka.bootstrap_servers}: {', '.join(missing)}; "
            "create them with `engage topics create`"
        )
    return not any(ends.values())
