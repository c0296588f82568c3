"""Counts a share of the people: their events from the files of all jobs, in the order of their times."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from schemas.rejection import Reason
from stream.report.bounded import parsed
from stream.report.file_report import Report
from stream.report.jobs.messages import BadItem, Count, Counted, Places, Setup
from stream.report.jobs.new_names import NewNames
from stream.report.jobs.parts import NUMBER_BITS
from stream.report.jobs.survey import BAD_MAX
from stream.report.packed_people import TOPIC
from stream.report.sorting import merge
from stream.report.spill import Place, Spill, TimedItem
from stream.report.ties import InputOrder, Numbered, Ties
from stream.report.wrong_clocks import DETAIL
from stream.settings.application import Settings

_LOCAL = (1 << NUMBER_BITS) - 1
_EVENTS_AT_ONCE = 5_000
_KEY_BYTES = 8


class Events:
    """Events of a share, in order, without duplicates and those of wrong clocks."""

    def __init__(self, setup: Setup, count: Count, spills: Sequence[Spill]) -> None:
        self._setup, self._spills = setup, spills
        self._usual = [first % count.shares == count.share for first in range(256)]
        self._moved = {key: share == count.share for key, share in count.moved.items()}
        self._duplicates = _bits(setup)
        orders = []
        for rises, falls in setup.orders:
            orders.append(InputOrder())
            orders[-1].rises, orders[-1].falls = rises, falls
        self.ties = Ties(setup.before, orders)
        self.rejected: Counter[str] = Counter()
        self.bad: list[BadItem] = []

    def blocks(self) -> Iterator[list[Numbered]]:
        """Yield the events in blocks."""
        runs = [
            self._run(spill, places)
            for spill, runs in zip(self._spills, self._setup.runs, strict=True)
            for places in runs
        ]
        yield from self.ties.ordered(map(self._chosen, merge(runs)))

    def _run(self, spill: Spill, places: Places) -> Iterator[list[TimedItem]]:
        usual, moved = self._usual, self._moved
        for block in spill.read_run([Place(*place) for place in places]):
            if moved:
                mine = [
                    (time_ms, number, raw[_KEY_BYTES:])
                    for time_ms, number, raw in block
                    if isinstance(raw, bytes) and moved.get(raw[:_KEY_BYTES], usual[raw[0]])
                ]
            else:
                mine = [
                    (time_ms, number, raw[_KEY_BYTES:])
                    for time_ms, number, raw in block
                    if isinstance(raw, bytes) and usual[raw[0]]
                ]
            if mine:
                yield mine  # type: ignore[misc]

    def _chosen(self, block: list[TimedItem]) -> list[Numbered]:
        bits = self._duplicates
        if bits:
            kept = [
                one
                for one in block
                if not bits[one[1] >> NUMBER_BITS][(local := one[1] & _LOCAL) >> 3]
                & 1 << (local & 7)
            ]
            if len(kept) < len(block):
                self.rejected[Reason.DUPLICATE] += len(block) - len(kept)
                block = kept
        events = list(zip((number for _, number, _ in block), parsed(block), strict=True))
        if wrong := self._setup.wrong_from_ms:
            return [one for one in events if not self._is_wrong(one, wrong)]
        return events

    def _is_wrong(self, one: Numbered, wrong_from_ms: dict[str, int]) -> bool:
        number, (event, time_ms) = one
        from_ms = wrong_from_ms.get(event.site)
        if from_ms is None or time_ms < from_ms:
            return False
        self.rejected[Reason.FUTURE] += 1
        if len(self.bad) < BAD_MAX:
            self.bad.append(BadItem(time_ms, number, Reason.FUTURE, DETAIL))
        return True


def _bits(setup: Setup) -> list[bytearray]:
    """Return a bit for each item of each part, set for duplicates; nothing without duplicates."""
    numbers = array("q", setup.duplicates)
    if not numbers:
        return []
    bits = [bytearray(lines // 8 + 1) for lines in setup.lines]
    for number in numbers:
        local = number & _LOCAL
        bits[number >> NUMBER_BITS][local >> 3] |= 1 << (local & 7)
    return bits


class Share:
    """A report of the people of one share."""

    def __init__(
        self,
        report: Report,
        settings: Settings,
        setup: Setup,
        count: Count,
        spills: Sequence[Spill],
        show: Callable[[int], None],
    ) -> None:
        self.report, self._show = report, show
        self._events = Events(setup, count, spills)
        self._blocks = self._events.blocks()
        self._left: list[Numbered] = []
        self.names = NewNames(report.shard, settings)
        self._counted = 0

    def count(self, count: Count) -> Counted:
        """Count up to a time, or to the end. The values known by then keep their names."""
        for name in count.known:
            self.report.shard.registry.values.load(*name)
        for events in self._up_to(count.to_ms):
            self._count(events)
            self._counted += len(events)
            self._show(self._counted)
        self._note(None, is_exact=False)
        return Counted(
            self.names.names,
            self.names.segment_sets,
            dict(self._events.rejected),
            self._events.bad,
        )

    def _up_to(self, to_ms: int | None) -> Iterator[list[Numbered]]:
        """Yield what comes before a time, in batches."""
        ready, self._left = self._left, []
        for block in self._blocks:
            ready += block
            if to_ms is not None and ready and ready[-1][1][1] >= to_ms:
                self._left = [one for one in ready if one[1][1] >= to_ms]
                ready = ready[: len(ready) - len(self._left)]
                break
            if len(ready) >= _EVENTS_AT_ONCE:
                yield ready
                ready = []
        if ready:
            yield ready

    def _count(self, events: list[Numbered]) -> None:
        """Count events; one that may bring a new name by itself."""
        first, may_bring = 0, self.names.may_bring
        for place in self.names.unusual([timed[0] for _, timed in events]):
            if may_bring(events[place][1][0]):
                self._apply(events[first:place], is_exact=False)
                self._apply(events[place : place + 1], is_exact=True)
                first = place + 1
        self._apply(events[first:], is_exact=False)

    def _apply(self, events: list[Numbered], *, is_exact: bool) -> None:
        if events:
            self.report.count([timed for _, timed in events])
            self._note(events[-1], is_exact)

    def _note(self, last: Numbered | None, is_exact: bool) -> None:
        if not self.report.shard.registry.fresh:
            return
        order = (self.report.shard.topics[TOPIC].clock, 0, 0, 0, "")
        if last is not None:
            order = (last[1][1], *self._events.ties.key(last))
        self.names.note(order, is_exact)
