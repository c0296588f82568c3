"""The engine over files: the same shard, no broker and no Redis; at the end of input everything closes."""

import gzip
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from schemas.codec import RejectedEvent, parse
from schemas.outputs import MetricRecord, WindowKind
from stream.configure.compile import build_rules
from stream.configure.fingerprints import definition_version
from stream.engine.fold import Decoded
from stream.engine.shard import Shard
from stream.metrics.catalogue import catalogue
from stream.metrics.metric import required_grains
from stream.people.person import Person
from stream.publish.due_windows import END_OF_INPUT
from stream.publish.merged_counts import MergedCounts
from stream.publish.records import Emission
from stream.report.churn import settle_days
from stream.report.cohorts import Cohort, DaysOf, days_of_mask, records_of, triangle
from stream.settings.application import Settings

_BATCH = 5_000
_EVERYONE = 1 << 60


class Line(NamedTuple):
    """A line of a file in the place of a Kafka record."""

    offset: int
    timestamp: int
    value: bytes
    timestamp_type: int = 0
    key: bytes | None = None


class BadLine(NamedTuple):
    """A line that is not counted, and why."""

    file: str
    number: int
    reason: str
    detail: str


class Report:
    """Counts events from files and evaluates the catalogue over them.

    One topic stands for all files in the order they are read, so what counts as late or duplicate is
    decided as for one partition with that log.
    """

    def __init__(self, settings: Settings, now_ms: int, on_bad: Callable[[BadLine], None]) -> None:
        self._settings = settings
        self._metrics = catalogue(settings)
        chosen = (settings.retention.start, settings.retention.returning)
        #: Who did what begins a cohort, and who what counts as coming back, where that is set.
        self._starts, self._returns = (DaysOf(settings, s) if s.type else None for s in chosen)
        rules = build_rules(settings, [one for one in (self._starts, self._returns) if one])
        self.shard = Shard(0, ["files"], rules, required_grains(self._metrics), _EVERYONE)
        self._now_ms = now_ms
        self._on_bad = on_bad
        self._calendar_of = rules.calendar_of

    def read(self, name: str, lines: Iterable[bytes]) -> None:
        """Count one file's lines; blank ones are passed over."""
        batch: list[tuple[int, bytes]] = []
        for number, line in enumerate(lines, start=1):
            if line.strip():
                batch.append((number, line))
            if len(batch) >= _BATCH:
                self._apply(name, batch)
                batch = []
        if batch:
            self._apply(name, batch)

    def records(
        self, metrics: Collection[str], kinds: Collection[WindowKind] | None
    ) -> Iterator[MetricRecord]:
        """All records, final: of the named metrics (none named: all), in the kinds of windows."""
        self.shard.watermark = END_OF_INPUT
        while self.shard.close_sessions()[0]:
            pass
        self.shard.count_collected()
        for _ in settle_days(self.shard):
            pass
        merged = MergedCounts(
            self._calendar_of, definition_version(self._settings), self._settings.publish.compare
        )
        registry = self.shard.registry.series
        for grain, table in self.shard.counters.tables.items():
            for index, counts in table.items():
                part = {(registry[i][0], registry[i][1:]): count for i, count in counts.items()}
                merged.replace((grain, index), [part])
        chosen = [m for m in self._metrics if not metrics or m.name in metrics]
        emission = Emission(merged, chosen, kinds)
        emission.note((g, i) for g, table in self.shard.counters.tables.items() for i in table)
        for records in emission.due(END_OF_INPUT, END_OF_INPUT, revision=1):
            yield from records

    def triangles(self, cohort: Cohort, kinds: Collection[WindowKind]) -> Iterator[MetricRecord]:
        """The retention triangles of each site, by these kinds of periods."""
        definition = definition_version(self._settings)
        active = self._active_days()
        starts = self._starts.days if self._starts else active
        returns = self._returns.days if self._returns else active
        for site in sorted(starts):
            calendar = self._calendar_of(site)
            for kind in kinds:
                cells = triangle(starts[site], returns.get(site, {}), kind, cohort, calendar)
                yield from records_of(cells, site, cohort, calendar, definition)

    def _active_days(self) -> dict[str, dict[str, Sequence[int]]]:
        """Site → person → their active days: a report drops none of them."""
        found: dict[str, dict[str, Sequence[int]]] = {}
        for key, person in self.shard.people.young.items():
            site, _, who = key.partition("\x1f")
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


def open_lines(path: str) -> BinaryIO | gzip.GzipFile:
    """A JSON-lines file, a `.gz` one, or `-` for standard input. Raises OSError."""
    if path == "-":
        return sys.stdin.buffer
    return gzip.open(path, "rb") if path.endswith(".gz") else Path(path).open("rb")
