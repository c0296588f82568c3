"""Samples of a week for Prometheus: the exporter's own page at each moment."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from stream.configure.compile import build_rules
from stream.configure.fingerprints import definition_version
from stream.metrics.catalogue import catalogue
from stream.publish.snapshot import HeavyPerson, Snapshot
from stream.publish.staleness import Stale
from stream.report.churn import assess_days
from stream.settings.application import PageSettings, SessionSettings, Settings, TimeSettings
from stream.settings.churn import ChurnRiskSettings
from stream.settings.definitions import Funnel, Selection
from stream.store.memory import Memory
from stream.web.exporter import Exporter, SnapshotCollector
from stream.worker.publisher import Publisher
from stream.worker.status import OwnerCounts
from stream.worker.telemetry import Telemetry
from tests.grafana.traffic import BUSY, DAY_MS, MINUTE_MS, NOW_MS, WEEK_MS, Spans, log
from tests.properties.engine import EVERYONE, LogRecord, Worker
from tests.properties.publishers import StoredState, with_dated_store
from tests.staleness import Known

#: A reason that withholds no values, so that panels about reasons have data as well.
AT_RISK = Known([Stale("redis_evicts", NOW_MS - WEEK_MS, "Redis may evict counters")])
#: Includes the dimensions of campaigns and experiments. Sessions end soon, as in
#: deploy/compose.yaml.
SETTINGS = replace(
    Settings(),
    dimensions=("country", "device", "channel", "campaign", "variant"),
    session=SessionSettings(timeout_seconds=60),
    time=TimeSettings(allowed_lateness_seconds=10),
    # Only one page is named, so that `other` counts the rest.
    pages=PageSettings(values_max=1),
    churn_risk=ChurnRiskSettings(enabled=True, horizon_days=1, examples_min=1),
    funnels={
        "purchase": Funnel(
            steps=(
                Selection(type="page_view"),
                Selection(type="add_to_cart"),
                Selection(type="order"),
            )
        )
    },
)
STEP_MS = 2 * MINUTE_MS
#: Records take long to compute: only those of the last moments are.
_PUBLISHED_MS = 10 * MINUTE_MS
_ACCEPT = "application/openmetrics-text; version=1.0.0"
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")


class History:
    """Worker that reads on from moment to moment, and its page."""

    def __init__(self, records: list[LogRecord]) -> None:
        self._records = records
        worker = Worker(0, {"events": self._records}, SETTINGS, EVERYONE, 1 << 60)
        self._worker = with_dated_store(worker)
        state: Any = StoredState([worker])
        rules = build_rules(SETTINGS)
        metrics = catalogue(SETTINGS)
        self._publisher = Publisher(state, metrics, rules, definition_version(SETTINGS))
        self._snapshot: Snapshot | None = None
        self._telemetry = self._of_the_worker()
        collector = SnapshotCollector(
            metrics, lambda: self._snapshot, AT_RISK, self._telemetry.collect
        )
        self._exporter = Exporter(collector)

    def _of_the_worker(self) -> Telemetry:
        """Return the telemetry of a worker around the shard that counts here."""
        self._counts = OwnerCounts()
        assigned = SimpleNamespace(partition=0, shard=self._worker.shard)
        owner: Any = SimpleNamespace(
            counts=self._counts,
            assigned_shards={0: assigned},
            heaviest=lambda: [HeavyPerson(0, "5e28b54d6a4f5170", 0.2, 4.0)],
        )
        ends: Any = SimpleNamespace(read_to=lambda tp: (len(self._records), 0))
        dead_letters: Any = SimpleNamespace(entries_sent=0, failures=0, backlog=0)
        telemetry = Telemetry(owner, ends, dead_letters)
        telemetry.redis_memory = {"127.0.0.1:6379": Memory(64 << 20, 512 << 20)}
        return telemetry

    def page(self, time_ms: int) -> str:
        """Read on to a moment and render the page."""
        shard, start = self._worker.shard, self._worker.shard.topics["events"].expected
        end = start
        while end < len(self._records) and self._records[end].timestamp <= time_ms:
            end += 1
        while (next_ := shard.topics["events"].expected) < end:
            self._worker.read("events", min(5_000, end - next_))
            self._close()
        self._worker.checkpoint()
        self._assess_risks()
        self._worker.checkpoint()
        self._counts.checkpoints += 1
        self._counts.checkpoint_seconds_sum += 0.004
        self._telemetry.latency.observe(0.4)
        self._telemetry.records_published += 1
        self._snapshot = asyncio.run(self._publisher.refresh(time_ms))
        if time_ms > NOW_MS - _PUBLISHED_MS:
            for _ in self._publisher.due_records(self._snapshot):
                pass  # Sent; the next snapshot has their number.
        self._exporter._cache.clear()
        return self._exporter.render(_ACCEPT)[0].decode()

    def _assess_risks(self) -> None:
        """Assess the days that are due after the checkpoint."""
        shard = self._worker.shard
        assert shard.churn_risk is not None
        for _ in assess_days(shard, shard.churn_risk, shard.people.young.values):
            pass

    def _close(self) -> None:
        """Close everything that is due; all people are in memory."""
        shard = self._worker.shard
        shard.advance()
        while shard.close_sessions()[0]:
            pass


def moments(busy: Spans = BUSY, step_ms: int = STEP_MS) -> Iterator[int]:
    """Yield the moments: some in a week, more around this time a week ago, most of them now."""
    quiet = range(NOW_MS - WEEK_MS - DAY_MS, NOW_MS, DAY_MS)
    (first, last), (begin, end) = busy
    yield from sorted({
        *quiet, *range(first, last + 1, 2 * step_ms), *range(begin, end + 1, step_ms), NOW_MS,
    })  # fmt: skip


def write_history(
    path: Path,
    records: list[LogRecord] | None = None,
    busy: Spans = BUSY,
    step_ms: int = STEP_MS,
) -> None:
    """Write all pages to one file, each sample with its time and the labels of a scrape."""
    history = History(log() if records is None else records)
    with path.open("w", encoding="utf-8") as file:
        for time_ms in moments(busy, step_ms):
            for line in history.page(time_ms).splitlines():
                # Stored samples need no types of families.
                if found := _SAMPLE.match(line):
                    name, labels, value = found.groups()
                    own = 'job="engagement",instance="w1"' + (f",{labels}" if labels else "")
                    file.write(f"{name}{{{own}}} {value} {time_ms / 1000}\n")
        file.write("# EOF\n")
