"""Sends simulated traffic to Kafka as time goes by."""

import threading
import time
from collections.abc import Callable, Iterable

from agents.kafka_clients import KafkaUnreachable, Sender
from stream.settings import Settings
from stream.traffic import Sent, Traffic

# Short slices, so that an event is on its way soon after the moment at which it "happens".
SLICE_SECONDS = 0.2


class Simulation:
    """Feeds one traffic into the input topics: its past at once, its present as it passes."""

    def __init__(
        self,
        settings: Settings,
        traffic: Traffic,
        sender: Sender,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._topics = settings.topics
        self._traffic = traffic
        self._sender = sender
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        #: Why it ended by itself, when it did.
        self.error: KafkaUnreachable | None = None
        self.sent = 0

    def send_history(self, days: int, end_ms: int) -> int:
        """Send the past up to `end_ms` and wait until Kafka has it; how many events it was."""
        before = self.sent
        self._send(self._traffic.history(days, end_ms))
        self._sender.flush()
        return self.sent - before

    def start(self, start_ms: int) -> None:
        """Send what happens from `start_ms` on, in a thread, until `stop`."""
        self._thread = threading.Thread(target=self._run, args=(start_ms,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, within a few seconds."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)

    def _run(self, start_ms: int) -> None:
        try:
            while not self._stop.wait(SLICE_SECONDS):
                end_ms = int(self._clock() * 1000)
                # A clock that was set back gives an empty slice, and nothing is sent twice.
                if end_ms > start_ms:
                    self._send(self._traffic.between(start_ms, end_ms))
                    start_ms = end_ms
        except KafkaUnreachable as error:
            self.error = error

    def _send(self, records: Iterable[Sent]) -> None:
        first = self._topics.inputs[0]
        for record in records:
            # The events of a topic that is switched off go where any type may go.
            topic = getattr(self._topics, record.role) or first
            self._sender.send(topic, record.key, record.raw)
            self.sent += 1
