"""The content of the live page: headlines of each site, their last minutes, top values, counts."""

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from heapq import nlargest
from typing import Any, NamedTuple

import msgspec

from schemas.outputs import WindowKind
from schemas.rejection import printable
from stream.counters.measures import EVENTS
from stream.metrics.metric import JOINED, Metric
from stream.publish.headlines import HEADLINES
from stream.publish.snapshot import Gauge, Snapshot, main_window
from stream.report.accounting import Accounting, accounting, rejected

#: Snapshots kept: ten minutes at one per second.
HISTORY_MAX = 600
TICKS_MAX = 20
#: Sites on the page, the largest; `sites_total` of the message counts all of them.
SITES_MAX = 20
ROWS_MAX = 8
#: Heavy people on the page: one of each of the busiest shards.
HEAVIEST_MAX = 3
LABEL_MAX = 120
#: Lists rank pages by their views, values of other dimensions by their people.
PAGE, PAGE_METRIC, SEGMENT_METRIC = "page", "page_views_per_page", "daily_active_users"


class Shown(NamedTuple):
    """A headline whose metric is in the catalogue."""

    title: str
    metric: Metric
    window: WindowKind


class Sample(NamedTuple):
    """One moment of the history: site → value of each headline."""

    taken_ms: int
    values: dict[str, list[float | None]]


class LiveNumbers:
    """Collects snapshots, and builds the messages of the page from the last minutes of them."""

    def __init__(self, metrics: Sequence[Metric], dimensions: Sequence[str]) -> None:
        known = {metric.name: metric for metric in metrics}
        self.shown = [
            Shown(headline.title, metric, window)
            for headline in HEADLINES
            if (metric := known.get(headline.metric))
            and (window := next((w for w in headline.windows if w in metric.windows), None))
        ]
        lists = [(PAGE, PAGE_METRIC), *((name, SEGMENT_METRIC) for name in dimensions)]
        #: Dimension → the metric by which its values are ranked.
        self.lists = {
            name: known[metric]
            for name, metric in lists
            if metric in known and known[metric].covers(name)
        }
        self._slots = {(s.metric.name, s.window): i for i, s in enumerate(self.shown)}
        self._history: deque[Sample] = deque(maxlen=HISTORY_MAX)
        self._ticks: deque[dict[str, Any]] = deque(maxlen=TICKS_MAX)
        self._last: Snapshot | None = None

    def note(self, snapshot: Snapshot) -> bool:
        """Keep a snapshot; return False if it is known."""
        last, self._last = self._last, snapshot
        if last is not None and last.taken_ms == snapshot.taken_ms:
            return False
        if last is not None and snapshot.taken_ms > last.taken_ms:
            self._ticks.append(_tick(last, snapshot))
        values = self._headlines(snapshot.gauges)
        sites = _largest_sites(snapshot)
        self._history.append(
            Sample(snapshot.taken_ms, {site: values[site] for site in sites if site in values})
        )
        return True

    def state(self) -> dict[str, Any] | None:
        """Return the numbers of the newest snapshot; None before the first."""
        snapshot = self._last
        if snapshot is None:
            return None
        now, before = self._headlines(snapshot.gauges), self._headlines(snapshot.previous)
        lists = self._rows(snapshot.gauges)
        nothing: list[float | None] = [None] * len(self.shown)
        sites = _largest_sites(snapshot)
        return {
            "taken_ms": snapshot.taken_ms,
            "newest_ms": snapshot.newest_ms,
            "watermark_ms": snapshot.watermark_ms,
            "sites_total": len({count.site for count in snapshot.counts}),
            "sites": [
                {
                    "site": printable(site, LABEL_MAX),
                    "now": now.get(site, nothing),
                    "before": before.get(site, nothing),
                    "lists": lists.get(site, {}),
                }
                for site in sites
            ],
            "ticks": list(self._ticks)[-1:],
            "heaviest": [msgspec.structs.asdict(one) for one in snapshot.heaviest[:HEAVIEST_MAX]],
            "unaccounted": snapshot.unaccounted,
            "accounting": asdict(_accounting(snapshot)),
        }

    def history(self) -> dict[str, Any]:
        """Return the last minutes as columns; a page needs them once, when it connects."""
        sites = sorted({site for sample in self._history for site in sample.values})
        nothing: list[float | None] = [None] * len(self.shown)
        return {
            "taken_ms": [sample.taken_ms for sample in self._history],
            "sites": {
                printable(site, LABEL_MAX): list(
                    zip(*(s.values.get(site, nothing) for s in self._history), strict=True)
                )
                for site in sites
            },
            "ticks": list(self._ticks),
        }

    def _headlines(self, gauges: Sequence[Gauge]) -> dict[str, list[float | None]]:
        found: dict[str, list[float | None]] = {}
        for gauge in gauges:
            if (
                not gauge.dimension
                and (slot := self._slots.get((gauge.metric, gauge.window))) is not None
            ):
                row = found.setdefault(gauge.site, [None] * len(self.shown))
                row[slot] = gauge.value
        return found

    def _rows(self, gauges: Sequence[Gauge]) -> dict[str, dict[str, list[tuple[str, float]]]]:
        """Return the largest values by site and dimension."""
        found: dict[str, dict[str, list[Gauge]]] = {}
        for gauge in gauges:
            metric = self.lists.get(gauge.dimension)
            if metric and metric.name == gauge.metric and gauge.window == main_window(metric):
                found.setdefault(gauge.site, {}).setdefault(gauge.dimension, []).append(gauge)
        return {
            site: {
                name: [
                    (printable(gauge.label.replace(JOINED, ", "), LABEL_MAX), gauge.value)
                    for gauge in nlargest(ROWS_MAX, rows, key=lambda gauge: gauge.value)
                ]
                for name, rows in lists.items()
            }
            for site, lists in found.items()
        }


def _largest_sites(snapshot: Snapshot) -> list[str]:
    """Return the sites with the most events since counting began: a stable order."""
    events = [count for count in snapshot.counts if count.measure == EVENTS]
    return [count.site for count in nlargest(SITES_MAX, events, key=lambda count: count.value)]


def _accounting(snapshot: Snapshot) -> Accounting:
    """Account for all records since counting began, over all sites."""
    totals: dict[str, int] = {}
    for count in snapshot.counts:
        totals[count.measure] = totals.get(count.measure, 0) + count.value
    left_out = rejected(snapshot.outcomes, snapshot.reasons)
    return accounting(snapshot.outcomes.get("applied", 0), left_out, totals)


def _tick(last: Snapshot, snapshot: Snapshot) -> dict[str, Any]:
    """Return what was counted between two snapshots, by type, over all sites."""
    counted: dict[str, int] = {}
    known = {(count.measure, count.site): count.value for count in last.counts}
    for count in snapshot.counts:
        more = count.value - known.get((count.measure, count.site), 0)
        counted[count.measure] = counted.get(count.measure, 0) + max(more, 0)
    for outcome, total in snapshot.outcomes.items():
        if outcome != "applied":
            counted[outcome] = max(total - last.outcomes.get(outcome, 0), 0)
    return {
        "at_ms": snapshot.taken_ms,
        "seconds": (snapshot.taken_ms - last.taken_ms) / 1000,
        "counted": {name: more for name, more in counted.items() if more},
    }
