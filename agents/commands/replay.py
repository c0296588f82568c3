"""`engage replay`: sends the events of files to the topics of their types."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TextIO

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from agents.commands.kafka_clients import KafkaUnreachable, Sender
from agents.doctor.late_events import LateEvents, read_newest
from schemas.codec import RejectedEvent, parse
from schemas.events import EVENT_TYPES, Event
from stream.people.keys import record_key
from stream.people.placeholder_ids import PlaceholderIds
from stream.report.input import Item, read_items
from stream.settings.application import Settings

PROGRESS_SECONDS = 5.0
#: Longest wait for Kafka after Ctrl-C.
INTERRUPTED_SECONDS = 4.0


class Routed(NamedTuple):
    """Destination of one line; `event_time_ms` is None for a line that is not an event."""

    topic: str
    key: bytes | None
    event_time_ms: int | None


class Router:
    """Router of events: the type decides the topic, the person the key."""

    def __init__(self, settings: Settings, *, topic_by_type: bool = True) -> None:
        self._placeholder_ids = PlaceholderIds(settings.ids.placeholders)
        self._by_visitor = settings.identity == "visitor"
        self._first = settings.topics.inputs[0]
        self._topics: dict[str, str] = {}
        if topic_by_type:
            for name, kind in EVENT_TYPES.items():
                # Events of a topic that is switched off go to the first topic.
                self._topics[name] = getattr(settings.topics, kind.role) or self._first

    def route(self, raw: bytes) -> Routed:
        """Route one line; a line that is not an event goes to the first input topic, without a key."""
        try:
            event, event_time_ms = parse(raw)
        except RejectedEvent:
            return Routed(self._first, None, None)
        kind = str(event.__struct_config__.tag)
        return Routed(self._topics.get(kind, self._first), self.key(event), event_time_ms)

    def key(self, event: Event) -> bytes:
        """Key of an event: its person by `identity`, or its site without a person."""
        self._placeholder_ids.take_off(event)
        user, visitor = event.user_id, event.visitor_id
        return record_key(event.site, user, visitor, by_visitor=self._by_visitor).encode()


class Pace:
    """Pace that holds events back: event time runs `speed` times as fast as the clock."""

    def __init__(
        self,
        speed: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._origin: tuple[int, float] | None = None

    def wait_for(self, event_time_ms: int | None) -> None:
        """Sleep until an event of this time is due; not at all without a speed."""
        if self._speed is None or event_time_ms is None:
            return
        if self._origin is None:
            self._origin = (event_time_ms, self._clock())
        first_ms, began = self._origin
        due = began + (event_time_ms - first_ms) / 1000 / self._speed
        ahead = due - self._clock()
        if ahead > 0:
            self._sleep(ahead)


def run_replay(
    settings: Settings,
    files: list[str],
    *,
    speed: float | None = None,
    topic_by_type: bool = True,
    skip_bad: bool = False,
    errors: TextIO | None = None,
) -> int:
    """Send all lines; 0 if Kafka confirmed them, else 1. Raises KafkaUnreachable, InputError."""
    router, pace = Router(settings, topic_by_type=topic_by_type), Pace(speed)
    console = Console(file=errors or sys.stderr, soft_wrap=True)
    sent = bad = 0
    began = time.monotonic()
    late = LateEvents(settings, read_newest(settings))
    sender = Sender(settings)
    try:
        with _progress(console) as show:
            for raw in lines_to_send(files):
                if isinstance(raw, RejectedEvent):
                    console.print(f"not sent: {raw.reason}: {raw.detail}", markup=False)
                    continue
                place = router.route(raw)
                if place.event_time_ms is None:
                    bad += 1
                    if skip_bad:
                        continue
                elif warning := late.note(place.topic, place.key, place.event_time_ms):
                    console.print(warning, markup=False, highlight=False)
                pace.wait_for(place.event_time_ms)
                sender.send(place.topic, place.key, raw)
                sent += 1
                show(sent)
            sender.flush()
    except KeyboardInterrupt:
        console.print("interrupted; these are the records sent so far")
        with contextlib.suppress(KafkaUnreachable):
            sender.flush(INTERRUPTED_SECONDS)
        _summarise(console, sender, time.monotonic() - began, bad, late, skip_bad=skip_bad)
        raise
    finally:
        sender.close()
    _summarise(console, sender, time.monotonic() - began, bad, late, skip_bad=skip_bad)
    return 1 if sender.failed or sender.confirmed < sent else 0


def lines_to_send(files: Iterable[str]) -> Iterator[Item]:
    """Yield the events of all files, as stripped lines of JSON; a row that is none as its refusal."""
    for name in files:
        for item in read_items(name):
            if isinstance(item, RejectedEvent):
                yield item
            elif line := item.strip():
                yield line


def _summarise(
    console: Console, sender: Sender, seconds: float, bad: int, late: LateEvents, *, skip_bad: bool
) -> None:
    rate = sender.confirmed / max(seconds, 0.001)
    console.print(
        f"{sender.confirmed:,} records confirmed in {seconds:.1f} s ({rate:,.0f} a second)"
    )
    if late.count:
        console.print(late.summary(), highlight=False)
    if bad:
        fate = "skipped" if skip_bad else "sent as they are"
        console.print(f"{bad:,} lines were not events, {fate}")
    if sender.failed:
        console.print(f"{sender.failed:,} records were refused: {sender.last_error}")


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[Callable[[int], None]]:
    """Yield a function that shows the count: as a moving line in a terminal, else every 5 s."""
    shown = time.monotonic()
    if not console.is_terminal:

        def plain(count: int) -> None:
            nonlocal shown
            if time.monotonic() - shown >= PROGRESS_SECONDS:
                shown = time.monotonic()
                console.print(f"{count:,} sent")

        yield plain
        return
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} sent"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("replay", total=None)

        def moving(count: int) -> None:
            if count % 1000 == 0:
                progress.update(task, completed=count)

        yield moving
