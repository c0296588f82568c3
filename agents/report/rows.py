"""Chooses the row of each metric: its number, and the pair of numbers that tells its change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from agents.report.series import BY_LENGTH, Days, Numbers, Timed, adds_up, value_over
from schemas.outputs import MetricRecord, WindowKind
from stream.metrics.metric import Metric
from stream.publish.headlines import HEADLINES

#: Length in days of what is compared → kind of window.
_OF_LENGTH: dict[int, WindowKind] = {28: "trailing_28d", 7: "trailing_7d", 1: "day"}
#: Ends of the names of metrics that complete another one.
_COMPLETING = (
    "_p50", "_p90", "_25", "_50", "_75", "_90", "_share", "_low", "_high", "_gross", "_historic",
    "_involuntary", "_off_scale",
)  # fmt: skip
_HEADLINES = frozenset(headline.metric for headline in HEADLINES)


@dataclass(frozen=True, slots=True)
class Row:
    """A metric with its number, the pair that tells its change, and all its numbers."""

    metric: Metric
    #: Of the window `all`, or else of the latest window that is over.
    record: MetricRecord
    #: (value, value before), or None.
    change: tuple[float, float] | None
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of a few themes, and the names of their metrics without data."""

    title: str
    rows: Sequence[Row]
    empty: Sequence[str]
    #: Number of further metrics with data, for which there was no room.
    more: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """View of the numbers of one site."""

    whole: Days
    compared: int

    def section(
        self, title: str, metrics: Iterable[Metric], numbers: Mapping[str, Numbers]
    ) -> Section:
        """Choose the rows of a section."""
        rows, empty = [], []
        for metric in metrics:
            row = self._row(metric, numbers[metric.name]) if metric.name in numbers else None
            if row is not None:
                rows.append(row)
            elif metric.plain:
                empty.append(metric.name)
        return Section(title, rows, empty)

    def _row(self, metric: Metric, own: Numbers) -> Row | None:
        latest = self._latest(own)
        record = own.whole or (latest.record if latest else None)
        if record is None or not _has_data(own):
            return None
        change = self._change(own, latest)
        return Row(metric, record, change, own)

    def _latest(self, own: Numbers) -> Timed | None:
        """Return the latest window that is over and has a value, or a partial one if none is.

        It is of the longest kind that lies within the input.
        """
        known = {
            kind: [one for one in timed if one.record.value is not None and self._begins(one)]
            for kind, timed in own.of_days.items()
        }
        over = {
            kind: [one for one in timed if one.record.is_final] for kind, timed in known.items()
        }
        found = over if any(over.values()) else known
        kinds = [kind for kind in BY_LENGTH if found.get(kind)]
        within = [kind for kind in kinds if self.whole.holds(found[kind][-1].days)]
        # Nothing fits a short input: then its shortest window says most.
        kind = next(iter(within or kinds[::-1]), None)
        return found[kind][-1] if kind else None

    def _begins(self, one: Timed) -> bool:
        """Whether a window ends in, or holds, the days that are over."""
        return min(one.days.last, one.days.first) <= self.whole.last

    def _change(self, own: Numbers, latest: Timed | None) -> tuple[float, float] | None:
        """Return the pair that a change compares, of windows of one length.

        A metric of the window `all` compares the newest days with as many before: their sums, or its
        windows of that length if days do not add up.
        """
        if own.whole is None:
            return self._with_before(own, latest)
        if adds_up(own):
            return self._change_of_days(own)
        timed = own.of_days.get(_OF_LENGTH[self.compared], ()) if self.compared else ()
        newest = [one for one in timed if one.days.last == self.whole.last]
        return self._with_before(own, newest[0] if newest else None)

    def _with_before(self, own: Numbers, one: Timed | None) -> tuple[float, float] | None:
        """Return the values of a window and of the one before it, if the input holds both."""
        if one is None or one.record.approximate:
            return None
        last = one.days.first - timedelta(days=1)
        for days, record in own.of_days[one.record.window.kind]:
            if days.last == last and self.whole.holds(days):
                return _pair(one.record.value, record.value)
        return None

    def _change_of_days(self, own: Numbers) -> tuple[float, float] | None:
        """Compare the newest days with as many before them."""
        if not self.compared:
            return None
        length = timedelta(days=self.compared)
        newest = Days(self.whole.last - length + timedelta(days=1), self.whole.last)
        before = Days(newest.first - length, newest.last - length)
        now, then = (
            value_over([one for one in own.of_days["day"] if days.holds(one.days)])
            for days in (newest, before)
        )
        return _pair(now, then)


def foremost(rows: Sequence[Row], count: int) -> list[Row]:
    """Return the rows that say most, in their order."""
    ranked = sorted(rows, key=lambda row: _rank(row.metric))[:count]
    return [row for row in rows if row in ranked]


def _rank(metric: Metric) -> int:
    """Headlines of the live page come first, then what has a benchmark; what completes another last."""
    if metric.name in _HEADLINES:
        return 0
    if metric.name.endswith(_COMPLETING):
        return 3
    return 1 if metric.benchmark else 2


def _pair(now: float | None, then: float | None) -> tuple[float, float] | None:
    return None if now is None or then is None else (now, then)


def _has_data(own: Numbers) -> bool:
    """Whether a window has a value of anything counted."""
    whole = [own.whole] if own.whole else []
    records = (one.record for timed in own.of_days.values() for one in timed)
    return any(
        record.value is not None and (record.numerator or record.denominator)
        for record in (*whole, *records)
    )
