"""Runs the engine over files: shards without Kafka and Redis, closed at the end of input."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TypeVar
from weakref import finalize

from schemas.codec import RejectedEvent, parse_all
from schemas.outputs import MetricRecord, WindowKind
from stream.churn.assess import Assessed
from stream.configure.compile import build_rules
from stream.configure.fingerprints import definition_version
from stream.counters.measures import EVENTS, Grain
from stream.counters.sites import OTHER
from stream.engine.duplicates import SeenIds
from stream.engine.record import Decoded
from stream.engine.shard import Shard
from stream.metrics.catalogue import catalogue
from stream.people.id_changes import IdChanges
from stream.publish.due_windows import END_OF_INPUT
from stream.report.accounting import MEASURE_OF, Accounting, accounting, rejected
from stream.report.bounded import BadLine, BoundedInput, numbered
from stream.report.churn import settle_days
from stream.report.cohorts import (
    Cohort,
    DaysOf,
    Returned,
    active_days,
    records_of,
    returned,
    triangle,
)
from stream.report.input import Item
from stream.report.jobs.whole import Whole
from stream.report.numbers import Numbers, grains_of
from stream.report.packed_people import PEOPLE_IN_MEMORY, TOPIC, Line, PackedPeople
from stream.report.partitions import move_counts, partition_of
from stream.report.periods import Complete, DayRange
from stream.report.spill import Spill, Timed
from stream.settings.application import Settings

_FOREVER_MS = 1 << 50
_T = TypeVar("_T")
#: Sessions and carts whose person is known; beyond them the oldest are forgotten.
_IDS_KNOWN = 100_000


class Report:
    """Counts the events of files and evaluates the catalogue over them.

    `is_bounded`: all inputs are one whole, read by `read_all` in any order. Otherwise `read` takes
    one input after the other as one partition of a log: the order of the lines decides which events
    are late or duplicates.
    `kinds`: kinds of windows that `records` is asked for (None: all). The buckets of other grains
    are not counted.
    `partitions`: the events are counted in as many shards as the stream would have, each in that of its
    key.
    `jobs`: processes that read a whole and count it.
    """

    def __init__(
        self,
        settings: Settings,
        now_ms: int,
        on_bad: Callable[[BadLine], None],
        days: DayRange | None = None,
        *,
        is_bounded: bool = False,
        kinds: Collection[WindowKind] | None = None,
        partitions: int = 1,
        jobs: int = 1,
    ) -> None:
        """With `days` only numbers of that range are wanted; its people are counted while reading."""
        self._settings = settings
        self._days = days
        self._metrics = catalogue(settings)
        chosen = (settings.retention.start, settings.retention.returning)
        #: Days of the events that start a cohort, and of those that count as a return, if configured.
        self._starts, self._returns = (DaysOf(settings, s) if s.type else None for s in chosen)
        rules = build_rules(settings, [one for one in (self._starts, self._returns) if one])
        grains, in_memory = grains_of(self._metrics, days, kinds), PEOPLE_IN_MEMORY // partitions
        self._jobs, self._kinds = jobs, kinds
        #: The jobs, once they have counted.
        self._whole: Whole | None = None
        shards = range(max(partitions, jobs))
        self._shards = [Shard(p, [TOPIC], rules, grains, in_memory) for p in shards]
        #: The first shard; in the end it holds the counts of all.
        self.shard = self._shards[0]
        self._people = [PackedPeople(shard, in_memory) for shard in self._shards]
        self.partitions = partitions
        self._partition_of = partition_of(rules, partitions) if partitions > 1 else None
        #: Sessions and carts that go on under another person id, also in another shard.
        self.id_changes = IdChanges(_IDS_KNOWN)
        for shard in self._shards:
            shard.id_changes = self.id_changes
            if days is not None:
                shard.count_range(*days.days)
            if is_bounded:
                # Each id reaches the engine once.
                shard.topics[TOPIC].seen = SeenIds(_FOREVER_MS, ids_max=0)
        self._rules = rules
        self._now_ms = now_ms
        self._on_bad = on_bad
        self._calendar_of = rules.calendar_of
        #: Items that did not reach the engine, by reason.
        self._rejected: Counter[str] = Counter()
        self._settled_ms = 0
        #: Messages of the inputs that ended early.
        self.damage: list[str] = []

    def read(self, name: str, lines: Iterable[Item]) -> None:
        """Count one input as the next part of the log, except blank lines.

        An InputError of `lines` passes through after the lines before it are counted.
        """
        for _, batch in numbered(lines, 0):
            self._count_lines(self._parsed(name, batch))

    def read_all(self, names: Sequence[str], show: Callable[[str], None]) -> None:
        """Count all inputs as one whole; `show` is told how far the work is.

        Raises SpillError, and JobError if there are several jobs.
        """
        if self._jobs > 1:
            self._read_in_jobs(names, show)
            return
        with closing(Spill()) as spill:
            whole = BoundedInput(self._settings, self._now_ms, spill, self._on_bad, show)
            self.damage += whole.survey(names)
            for events in whole.events():
                self.count(events)
            self._rejected += whole.rejected

    def _read_in_jobs(self, names: Sequence[str], show: Callable[[str], None]) -> None:
        whole = Whole(
            self._settings, self._rules, self._now_ms, self._days, self._kinds, self._jobs, show
        )
        try:
            whole.count(names)
            sessions, carts = whole.finish(self._shards)
        except BaseException:
            whole.end()
            raise
        self.id_changes.sessions.changes, self.id_changes.carts.changes = sessions, carts
        self._rejected += whole.rejected
        self.damage += whole.damage
        for line in whole.bad_lines():
            self._on_bad(line)
        self._whole = whole
        # They wait for questions about people, as long as there is a report.
        finalize(self, whole.end)

    def events_of_other_sites(self) -> int:
        """Return the number of events of sites beyond `limits.sites_max`."""
        return sum(count for name, count in self._totals() if name == (EVENTS, OTHER, "", ""))

    def accounting(self) -> Accounting:
        """Account for all lines read so far."""
        found = dict.fromkeys(MEASURE_OF.values(), 0)
        for (measure, _, dimension, _), count in self._totals():
            if measure in found and not dimension:
                found[measure] += count
        applied, left_out = 0, Counter(self._rejected)
        for shard in self._shards:
            state = shard.topics[TOPIC]
            applied += state.counts["applied"]
            left_out += Counter(rejected(state.counts, state.reasons))
        return accounting(applied, left_out, found)

    def _totals(self) -> Iterator[tuple[tuple[str, str, str, str], int]]:
        """Yield ((measure, site, dimension, value), total) of each series of each shard."""
        for shard in self._shards:
            shard.count_collected()
            counts = shard.counters.tables[Grain.ALL].get(0, {})
            for series, name in shard.registry.series.items():
                yield name, counts.get(series, 0)

    def assessed_days(self) -> Iterator[tuple[int, list[Assessed]]]:
        """Yield each day with its people and their churn risks; none if the model is switched off."""
        for shard, people in zip(self._shards, self._people, strict=True):
            yield from settle_days(shard, people.everyone)

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
        """Return the numbers over the counts of all shards."""
        self.close()
        for shard in self._shards[1:]:
            move_counts(shard, self.shard)
        return Numbers(self.shard, self._rules, self._days)

    def close(self) -> None:
        """Close every session, and count what is collected."""
        for shard, people in zip(self._shards, self._people, strict=True):
            shard.watermark = END_OF_INPUT
            people.close_sessions()
            shard.count_collected()
        for _ in self.assessed_days():
            pass

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
        for (site, kind), found in sorted(self.returned(cohort, kinds).items(), key=_by_site):
            calendar = self._calendar_of(site)
            cells = triangle(found, kind, calendar)
            complete_ms = newest_ms if until is None else until.ms_in(calendar)
            yield from records_of(cells, site, cohort, calendar, definition, complete_ms)

    def returned(
        self, cohort: Cohort, kinds: Collection[WindowKind]
    ) -> dict[tuple[str, WindowKind], Returned]:
        """Count the people who return, for each site and kind of period in the order of `kinds`."""
        if self._whole is not None:
            return self._whole.returned(cohort, kinds)
        active: dict[str, dict[str, Sequence[int]]] = {}
        # A person is in one shard: their key is that of their records.
        for shard, people in zip(self._shards, self._people, strict=True):
            for site, days in active_days(people.everyone(), shard.registry).items():
                active.setdefault(site, {}).update(days)
        starts = self._starts.days if self._starts else active
        returns = self._returns.days if self._returns else active
        return {
            (site, kind): returned(
                days, returns.get(site, {}), kind, cohort, self._calendar_of(site)
            )
            for kind in kinds
            for site, days in starts.items()
        }

    def _parsed(self, name: str, batch: Sequence[tuple[int, Item]]) -> list[tuple[Decoded, bytes]]:
        raws = [item if isinstance(item, bytes) else b"" for _, item in batch]
        parsed: list[tuple[Decoded, bytes]] = []
        for (number, item), raw, read in zip(batch, raws, parse_all(raws), strict=True):
            found = item if isinstance(item, RejectedEvent) else read
            if isinstance(found, RejectedEvent):
                self._on_bad(BadLine(name, number, found.reason, found.detail))
            parsed.append((found, raw))
        return parsed

    def _count_lines(self, batch: Sequence[tuple[Decoded, bytes]]) -> None:
        for partition, part in self._parts(batch, lambda item: item[0]).items():
            first = self._shards[partition].topics[TOPIC].next
            # A file has no Kafka timestamps: only the wall clock guards against future events.
            lines = [
                Line(first + place, 0 if isinstance(item, RejectedEvent) else item[1], raw)
                for place, (item, raw) in enumerate(part)
            ]
            self._people[partition].count(lines, [item for item, _ in part], self._now_ms)

    def count(self, events: Sequence[Timed]) -> None:
        """Count the next events of the whole, which are in the order of their times."""
        for partition, part in self._parts(events, lambda event: event).items():
            first = self._shards[partition].topics[TOPIC].next
            # Of a whole nothing is rejected by its record, so one stands for all but the last.
            lines = [Line(first, _FOREVER_MS, b"")] * (len(part) - 1)
            lines.append(Line(first + len(part) - 1, _FOREVER_MS, b""))
            self._people[partition].count(lines, part, self._now_ms)

    def _parts(self, batch: Sequence[_T], decoded: Callable[[_T], Decoded]) -> dict[int, list[_T]]:
        """Divide a batch by partition."""
        find = self._partition_of
        if find is None:
            return {0: list(batch)} if batch else {}
        parts: dict[int, list[_T]] = {}
        for item in batch:
            parts.setdefault(find(decoded(item)), []).append(item)
        return parts


def _by_site(item: tuple[tuple[str, WindowKind], Returned]) -> str:
    return item[0][0]
