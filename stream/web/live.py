"""What the live page shows: the headlines of each site with their last minutes, its tops, what was counted."""

from collections import deque
from collections.abc import Sequence
from heapq import nlargest
from typing import Any, NamedTuple

from schemas.outputs import WindowKind
from schemas.rejection import printable
from stream.counters.measures import EVENTS
from stream.metrics.metric import JOINED, Metric
from stream.publish.headlines import HEADLINES
from stream.publish.snapshot import Gauge, Snapshot, main_window

#: At one snapshot a second, ten minutes.
HISTORY_MAX = 600
TICKS_MAX = 20
#: A page that shows more is not looked at; `sites` of the message says how many there are.
SITES_MAX = 20
ROWS_MAX = 8
LABEL_MAX = 120
#: What is listed by a dimension: pages by their views, all others by their people.
PAGE, PAGE_METRIC, SEGMENT_METRIC = "page", "page_views_per_page", "daily_active_users"


class Shown(NamedTuple):
    """A headline that the catalogue has."""

    title: str
    metric: Metric
    window: WindowKind


class Sample(NamedTuple):
    """One moment of the history: site → value of each headline."""

    taken_ms: int
    values: dict[str, list[float | None]]


class LiveNumbers:
    """Remembers the last minutes of what the snapshots say; told of each, asked for messages."""

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
        """Remember a snapshot; False when it was known."""
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
        """The numbers of now; None before the first snapshot."""
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
            "unaccounted": snapshot.unaccounted,
        }

    def history(self) -> dict[str, Any]:
        """The last minutes, as columns: what a page needs once, to go on from there."""
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
        """Site → dimension → its largest values."""
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
    """By events since counting began: an order that does not jump about."""
    events = [count for count in snapshot.counts if count.measure == EVENTS]
    return [count.site for count in nlargest(SITES_MAX, events, key=lambda count: count.value)]


def _tick(last: Snapshot, snapshot: Snapshot) -> dict[str, Any]:
    """What was counted between two snapshots, by type; of nobody in particular."""
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
