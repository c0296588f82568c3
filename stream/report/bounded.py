"""The inputs of a report as one bounded whole: in the order of their times, each event_id once."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from schemas.codec import Reason, RejectedEvent, parse_all
from schemas.events import Event
from stream.engine.accept import is_other_currency
from stream.report.duplicates import Duplicates
from stream.report.input import Item, read_items
from stream.report.opening import InputError, is_file, shown_name
from stream.report.sorting import Sorter
from stream.report.spill import Spill, Timed, TimedItem
from stream.report.ties import InputOrder, Numbered, Ties
from stream.report.wrong_clocks import AFTER_NOW, DETAIL, WrongClocks
from stream.settings.application import Settings

#: Items parsed at once, events counted at once.
ITEMS_AT_ONCE, EVENTS_AT_ONCE = 5_000, 5_000

#: Number of an item, its bytes, the event and its time in epoch ms.
NumberedEvent = tuple[int, bytes, Event, int]


class BadLine(NamedTuple):
    """Line that is not counted, with its reason."""

    file: str
    number: int
    reason: str
    detail: str


class BoundedInput:
    """Reads all inputs twice: first for their order and ids, then for their events by time.

    Events that are in memory or in the spill are not read again. Files whose events are in order
    need no spill.
    """

    def __init__(
        self,
        settings: Settings,
        now_ms: int,
        spill: Spill,
        on_bad: Callable[[BadLine], None],
        show: Callable[[str], None],
    ) -> None:
        self._currency = settings.currency
        self._newest_ms = now_ms + settings.time.max_future_skew_seconds * 1000
        self._on_bad, self._show = on_bad, show
        self._sorter = Sorter(spill)
        self._duplicates = Duplicates(spill) if settings.dedupe.window_seconds else None
        self._clocks = WrongClocks()
        self._has_wrong_clocks = False
        self._names: list[str] = []
        #: Items before each input; items are numbered over all inputs, from 1.
        self._before: list[int] = []
        self._orders: list[InputOrder] = []
        self._number = 0
        #: Items up to this number are read again.
        self._read_again_to = 0
        self._can_read_again = True
        #: Items that are not counted, by reason.
        self.rejected: Counter[str] = Counter()

    def survey(self, names: Sequence[str]) -> list[str]:
        """Read all inputs; return the messages of those that ended early. Raises SpillError."""
        damage: list[str] = []
        for name in names:
            self._names.append(name)
            self._before.append(self._number)
            self._orders.append(InputOrder())
            self._can_read_again &= is_file(name)
            try:
                for number, batch in numbered(read_items(name), self._number):
                    self._number = number
                    self._note(batch)
                    self._show(f"{self._number:,} lines read, now {shown_name(name)}")
            except InputError as error:
                damage.append(str(error))
        self._show("looking for duplicates")
        if self._duplicates is not None:
            self._duplicates.find(self._number)
        self._has_wrong_clocks = self._clocks.find()
        return damage

    def events(self) -> Iterator[list[Timed]]:
        """Yield all events in order, without duplicates and those of wrong clocks."""
        ready: list[Timed] = []
        counted = 0
        again = [self._again()] if self._read_again_to else []
        blocks = map(self._chosen, self._sorter.merged(again))
        for block in Ties(self._before, self._orders).ordered(blocks):
            ready += [timed for _, timed in block]
            if len(ready) >= EVENTS_AT_ONCE:
                yield ready
                counted += len(ready)
                self._show(f"{counted:,} events of {self._number:,} lines counted")
                ready = []
        if ready:
            yield ready

    def _note(self, batch: list[tuple[int, Item]]) -> None:
        """Note the time and id of each event; reject what is no event or dated after now."""
        events = events_of(batch, self._newest_ms, self._reject)
        note_counted(events, self._currency, self._duplicates, self._clocks)
        for number, item, _, time_ms in events:
            if self._sorter.add(time_ms, number, item):
                self._make_room(number)
        self._orders[-1].note([time_ms for _, _, _, time_ms in events])

    def _make_room(self, number: int) -> None:
        if self._can_read_again and self._sorter.is_ordered:
            self._sorter.drop()
            self._read_again_to = number
        else:
            self._sorter.spill()

    def _chosen(self, block: list[TimedItem]) -> list[Numbered]:
        """Return the events of a block that count, with their numbers."""
        duplicates = self._duplicates
        if duplicates is not None:
            kept = [one for one in block if one[1] not in duplicates]
            if len(kept) < len(block):
                self.rejected[Reason.DUPLICATE] += len(block) - len(kept)
                block = kept
        events = list(zip((number for _, number, _ in block), parsed(block), strict=True))
        if not self._has_wrong_clocks:
            return events
        chosen: list[Numbered] = []
        for number, timed in events:
            if self._clocks.is_wrong(timed[0].site, timed[1]):
                self._reject(number, RejectedEvent(Reason.FUTURE, DETAIL))
            else:
                chosen.append((number, timed))
        return chosen

    def _again(self) -> Iterator[list[TimedItem]]:
        """Read the items again that came in order, without those rejected before."""
        last = self._read_again_to
        for name, before, after in zip(
            self._names, self._before, [*self._before[1:], self._number], strict=True
        ):
            number = before
            with suppress(InputError):  # The survey has reported it.
                for number, batch in numbered(read_items(name), before):
                    yield self._block([one for one in batch if one[0] <= min(after, last)])
                    if number >= last:
                        return
            if number < after:
                raise InputError(f"{shown_name(name)} changed while it was read")

    def _block(self, batch: list[tuple[int, Item]]) -> list[TimedItem]:
        """Return the events of a batch of items."""
        read = parse_all(item if isinstance(item, bytes) else None for _, item in batch)
        return [
            (found[1], number, found)
            for (number, _), found in zip(batch, read, strict=True)
            if not isinstance(found, RejectedEvent) and found[1] <= self._newest_ms
        ]

    def _reject(self, number: int, error: RejectedEvent) -> None:
        """Count an item that is not counted, and name its place."""
        place = bisect_left(self._before, number) - 1
        self.rejected[error.reason] += 1
        line = number - self._before[place]
        self._on_bad(BadLine(self._names[place], line, error.reason, error.detail))


def events_of(
    batch: Sequence[tuple[int, Item]], newest_ms: int, reject: Callable[[int, RejectedEvent], None]
) -> list[NumberedEvent]:
    """Return (number, item, event, time) of each item that is an event; reject the others.

    An event after `newest_ms` is rejected as well.
    """
    found: list[NumberedEvent] = []
    read = parse_all(item if isinstance(item, bytes) else None for _, item in batch)
    for (number, item), one in zip(batch, read, strict=True):
        if isinstance(item, RejectedEvent):
            reject(number, item)
        elif isinstance(one, RejectedEvent):
            reject(number, one)
        elif one[1] > newest_ms:
            reject(number, RejectedEvent(Reason.FUTURE, AFTER_NOW))
        else:
            found.append((number, item, *one))
    return found


def note_counted(
    events: Iterable[NumberedEvent],
    currency: str | None,
    duplicates: Duplicates | None,
    clocks: WrongClocks,
) -> None:
    """Note the id and the time of each event, unless it is of another currency than the configured one."""
    for number, _, event, time_ms in events:
        if currency is None or not is_other_currency(event, currency):
            if duplicates is not None:
                duplicates.add(event.site, event.event_id, time_ms, number)
            clocks.note(event.site, time_ms)


def numbered(items: Iterable[Item], number: int) -> Iterator[tuple[int, list[tuple[int, Item]]]]:
    """Yield batches of items that are not blank, with their numbers, from `number` + 1 on.

    Each batch comes with the number of the last item read. What comes before an InputError is a
    batch too.
    """
    batch: list[tuple[int, Item]] = []
    damage: InputError | None = None
    try:
        for item in items:
            number += 1
            if isinstance(item, RejectedEvent) or item.strip():
                batch.append((number, item))
                if len(batch) >= ITEMS_AT_ONCE:
                    yield number, batch
                    batch = []
    except InputError as error:
        damage = error
    yield number, batch
    if damage is not None:
        raise damage


def parsed(block: list[TimedItem]) -> list[Timed]:
    """Parse the events of a block that are still bytes."""
    if block and not isinstance(block[0][2], bytes) and not isinstance(block[-1][2], bytes):
        return [found for _, _, found in block if not isinstance(found, bytes)]
    raws = [found for _, _, found in block if isinstance(found, bytes)]
    read = iter(parse_all(raws))
    events = [next(read) if isinstance(found, bytes) else found for _, _, found in block]
    return [found for found in events if not isinstance(found, RejectedEvent)]
