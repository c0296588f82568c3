"""Survey of a job's parts of the inputs: their events, sorted in the job's file, and their ids."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from schemas.rejection import RejectedEvent
from stream.report.bounded import events_of, note_counted, numbered
from stream.report.duplicates import PARTS, Duplicates
from stream.report.input import Item, read_items, read_lines
from stream.report.jobs.messages import BadItem, Part, PartSurveyed, Places, Surveyed
from stream.report.jobs.parts import first_number
from stream.report.jobs.person_keys import PersonKeys
from stream.report.opening import InputError
from stream.report.sorting import Sorter
from stream.report.spill import Place, Spill
from stream.report.ties import InputOrder
from stream.report.wrong_clocks import WrongClocks
from stream.settings.application import Settings

#: Bad items that are named at most; a report prints fewer.
BAD_MAX = 100
_EVENTS_BETWEEN_TIMES = 500


class PartSurvey:
    """Reads parts one after the other."""

    def __init__(
        self,
        settings: Settings,
        now_ms: int,
        spill: Spill,
        keys: PersonKeys,
        chunk_bytes: int,
        show: Callable[[int], None],
    ) -> None:
        self._currency = settings.currency
        self._newest_ms = now_ms + settings.time.max_future_skew_seconds * 1000
        self._sorter = Sorter(spill, chunk_bytes)
        self._duplicates = Duplicates(spill) if settings.dedupe.window_seconds else None
        self._clocks = WrongClocks()
        self._keys, self._show = keys, show
        self._read = 0
        self._rejected: Counter[str] = Counter()
        self._bad: list[BadItem] = []
        self._times: list[int] = []
        self._parts: list[PartSurveyed] = []

    def read(self, part: Part) -> None:
        """Read a part. Raises SpillError."""
        before = number = first_number(part.number)
        order, damage = InputOrder(), ""
        try:
            for number, batch in numbered(_items(part), before):
                order.note(self._note(batch))
                self._show(self._read + number - before)
        except InputError as error:
            damage = str(error)
        lines = number - before
        self._read += lines
        self._parts.append(
            PartSurveyed(
                part.number, lines, order.rises, order.falls, order.first, order.last, damage
            )
        )

    def result(self) -> Surveyed:
        """Move everything to the file, and return its places. Raises SpillError."""
        self._sorter.spill()
        duplicates = self._duplicates
        return Surveyed(
            parts=self._parts,
            runs=[_places(run) for run in self._sorter.runs],
            ids=[[]] * PARTS if duplicates is None
            else [_places(part) for part in duplicates.give_up()],
            days=self._clocks.days,
            links=list(self._keys.links),
            times=self._times,
            rejected=dict(self._rejected),
            bad=self._bad,
        )  # fmt: skip

    def _note(self, batch: list[tuple[int, Item]]) -> list[int]:
        """Note the events of a batch; return their times."""
        sorter, key_of = self._sorter, self._keys.of
        events = events_of(batch, self._newest_ms, self._reject)
        note_counted(events, self._currency, self._duplicates, self._clocks)
        for number, item, event, time_ms in events:
            if sorter.add(time_ms, number, key_of(event) + item):
                sorter.spill()
        times = [time_ms for _, _, _, time_ms in events]
        self._times += times[::_EVENTS_BETWEEN_TIMES]
        return times

    def _reject(self, number: int, error: RejectedEvent) -> None:
        self._rejected[error.reason] += 1
        if len(self._bad) < BAD_MAX:
            self._bad.append(BadItem(0, number, error.reason, error.detail))


def _places(places: Sequence[Place]) -> Places:
    return [(place.start, place.length) for place in places]


def _items(part: Part) -> Iterable[Item]:
    if part.end is None:
        return read_items(part.name)
    return read_lines(part.name, part.start, part.end)
