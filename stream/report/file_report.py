"""Runs the engine over files: one shard without Kafka and Redis, closed at the end of input."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from schemas.codec import RejectedEvent, parse
from schemas.outputs import MetricRecord, WindowKind
from stream.configure.compile import build_rules
from stream.configure.fingerprints import definition_version
from stream.counters.measures import SCHEDULED, Grain
from stream.engine.record import Decoded
from stream.engine.shard import Shard
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import Metric, required_grains
from stream.metrics.ranges import over_all_days, over_range
from stream.people.keys import split_key
from stream.people.person import Person
from stream.publish.due_windows import END_OF_INPUT
from stream.report.accounting import MEASURE_OF, Accounting, accounting
from stream.report.churn import settle_days
from stream.report.cohorts import Cohort, DaysOf, days_of_mask, records_of, triangle
from stream.report.input import InputError
from stream.report.numbers import Numbers
from stream.report.periods import Complete, DayRange
from stream.settings.application import Settings

_BATCH = 5_000
_EVERYONE = 1 << 60


class Line(NamedTuple):
    """Line of a file as a record of the log."""

    offset: int
    timestamp: int
    value: bytes
    timestamp_type: int = 0
    key: bytes | None = None


class BadLine(NamedTuple):
    """Line that is not an event, with its reason."""

    file: str
    number: int
    reason: str
    detail: str


class Report:
    """Counts the events of files and evaluates the catalogue over them.

    All files together are one partition of one topic, in the order in which they are read. That
    decides which events are late or duplicates.
    """

    def __init__(
        self,
        settings: Settings,
        now_ms: int,
        on_bad: Callable[[BadLine], None],
        days: DayRange | None = None,
    ) -> None:
        """With `days` only numbers of that range are wanted; its people are counted while reading."""
        self._settings = settings
        self._days = days
        self._metrics = catalogue(settings)
        chosen = (settings.retention.start, settings.retention.returning)
        #: Days of the events that start a cohort, and of those that count as a return, if configured.
        self._starts, self._returns = (DaysOf(settings, s) if s.type else None for s in chosen)
        rules = build_rules(settings, [one for one in (self._starts, self._returns) if one])
        self.shard = Shard(0, ["files"], rules, _grains(self._metrics, days), _EVERYONE)
        if days is not None:
            self.shard.count_range(*days.days)
        self._rules = rules
        self._now_ms = now_ms
        self._on_bad = on_bad
        self._calendar_of = rules.calendar_of
        #: Messages of the inputs that ended early.
        self.damage: list[str] = []

    def read(self, name: str, lines: Iterable[bytes]) -> None:
        """Count one file's lines except blank ones.

        An InputError of `lines` passes through after the lines before it are counted.
        """
        for batch in _batches(lines):
            self._apply(name, batch)

    def accounting(self) -> Accounting:
        """Account for all lines read so far."""
        self.shard.count_collected()
        counts = self.shard.counters.tables[Grain.ALL].get(0, {})
        found = dict.fromkeys(MEASURE_OF.values(), 0)
        for series, (measure, _, dimension, _) in self.shard.registry.series.items():
            if measure in found and not dimension:
                found[measure] += counts.get(series, 0)
        state = self.shard.topics["files"]
        return accounting(state.counts["applied"], state.reasons, found)

    def records(
        self,
        metrics: Collection[str],
        kinds: Collection[WindowKind] | None,
        until: Complete | None = None,
    ) -> Iterator[MetricRecord]:
        """Yield the records of the named metrics (none named: all) in these kinds of windows.

        The data are complete up to `until`, or else up to the newest event. A window that is not over
        then is not final.
        """
        chosen = [m for m in self._metrics if not metrics or m.name in metrics]
        yield from self._numbers().records(chosen, kinds, until)

    def _numbers(self) -> Numbers:
        """Close every session, count what is collected, and return the numbers."""
        self.shard.watermark = END_OF_INPUT
        while self.shard.close_sessions()[0]:
            pass
        self.shard.count_collected()
        for _ in settle_days(self.shard):
            pass
        return Numbers(self.shard, self._rules, self._days)

    def has_range(self) -> bool:
        """Whether an event lies in the range of the report; True without a range."""
        return self._days is None or self._numbers().has_range()

    def triangles(
        self, cohort: Cohort, kinds: Collection[WindowKind], until: Complete | None = None
    ) -> Iterator[MetricRecord]:
        """Yield the retention triangles of each site, for each kind of period.

        A cell is final if its period is over where the data are complete: at `until`, or else at the
        newest event.
        """
        newest_ms = max(topic.clock for topic in self.shard.topics.values())
        definition = definition_version(self._settings)
        active = self._active_days()
        starts = self._starts.days if self._starts else active
        returns = self._returns.days if self._returns else active
        for site in sorted(starts):
            calendar = self._calendar_of(site)
            for kind in kinds:
                cells = triangle(starts[site], returns.get(site, {}), kind, cohort, calendar)
                complete_ms = newest_ms if until is None else until.ms_in(calendar)
                yield from records_of(cells, site, cohort, calendar, definition, complete_ms)

    def _active_days(self) -> dict[str, dict[str, Sequence[int]]]:
        """Site → person → active days. A report keeps every person in memory."""
        found: dict[str, dict[str, Sequence[int]]] = {}
        for key, person in self.shard.people.young.items():
            site, who = split_key(key)
            whole = self.shard.registry.segment_set_of(site, {}).segments[0].id
            for (top, mask, *_), segments in person.active.items():
                if whole in segments:
                    found.setdefault(site, {})[who] = days_of_mask(top, mask)
        return found

    def _apply(self, name: str, batch: list[tuple[int, bytes]]) -> None:
        state = self.shard.topics["files"]
        lines: list[Line] = []
        decoded: list[Decoded] = []
        for offset, (number, raw) in enumerate(batch, start=state.next):
            item: Decoded
            try:
                item = parse(raw)
                time_ms = item[1]
            except RejectedEvent as error:
                item, time_ms = error, 0
                self._on_bad(BadLine(name, number, error.reason, error.detail))
            decoded.append(item)
            # A file has no Kafka timestamps: only the wall clock guards against future events.
            lines.append(Line(offset, time_ms, raw))
        people, missing = self.shard.prepare(decoded)
        if missing:
            self.shard.admit(Person(key) for key in missing)
            turned = self.shard.people.rotations
            people, _ = self.shard.complete(decoded, people, missing, turned)
        self.shard.apply("files", lines, decoded, people, self._now_ms)
        self.shard.dead_letters.clear()


def _grains(metrics: Collection[Metric], days: DayRange | None) -> dict[str, tuple[Grain, ...]]:
    """Return the grains to count: what metrics need, and minutes of what may not be due yet."""
    over = over_all_days if days is None else over_range
    ranged = [found for metric in metrics if (found := over(metric)) is not None]
    grains = required_grains([*metrics, *ranged])
    return {
        measure: tuple(Grain) if measure in SCHEDULED else own for measure, own in grains.items()
    }


def _batches(lines: Iterable[bytes]) -> Iterator[list[tuple[int, bytes]]]:
    """Group lines with their numbers; what comes before an InputError is a batch too."""
    batch: list[tuple[int, bytes]] = []
    damage: InputError | None = None
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                batch.append((number, line))
            if len(batch) >= _BATCH:
                yield batch
                batch = []
    except InputError as error:
        damage = error
    if batch:
        yield batch
    if damage is not None:
        raise damage
