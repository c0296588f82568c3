"""Chooses what an overview of a report shows: one number for each metric with data, by section."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from agents.report.sections import sections
from agents.report.series import (
    BY_LENGTH,
    STEPS,
    Days,
    Numbers,
    Step,
    Timed,
    adds_up,
    numbers_of,
    steps_of,
    value_over,
)
from schemas.outputs import MetricRecord, WindowKind
from stream.counters.calendar import Calendar
from stream.metrics.metric import Metric
from stream.publish.headlines import HEADLINES
from stream.report.extent import Extent
from stream.settings.application import Settings

#: Windows whose records an overview reads.
KINDS: tuple[WindowKind, ...] = ("all", *BY_LENGTH)
#: Lengths in days of the newest days that are compared with as many before.
_COMPARED = (28, 7, 1)
_OF_LENGTH: dict[int, WindowKind] = {28: "trailing_28d", 7: "trailing_7d", 1: "day"}
#: Longest input whose series is by day, and by week, in steps.
_STEPS_MAX: dict[Step, int] = {"day": 62, "week": 156}
#: A series may leave out the oldest steps down to this part of them before longer steps are taken.
_SHOWN_MIN = 1 / 3

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
class Overview:
    """All that an overview says of one site."""

    site: str
    timezone: str
    #: First and newest hour with events, in the site's zone.
    first: datetime
    newest: datetime
    #: Days that are over, or the newest one if none is.
    whole: Days
    is_newest_day_over: bool
    #: Number of newest days that a change compares with as many before; 0: too few days.
    compared: int
    #: First day of a week; Monday is 0.
    first_weekday: int
    sections: Sequence[Section]

    def steps(self, points_max: int) -> tuple[Step, list[Days]]:
        """Return the finest step whose series is short enough, and the newest steps."""
        for step in STEPS:
            spans = steps_of(step, self.whole, self.first_weekday)
            longest = min(_STEPS_MAX.get(step, len(spans)), int(points_max / _SHOWN_MIN))
            if len(spans) <= longest:
                break
        return step, spans[-points_max:]

    def all_steps(self, points_max: int) -> Iterator[tuple[Step, list[Days]]]:
        """Yield each step whose whole series has at most `points_max` points, the finest first."""
        for step in STEPS:
            spans = steps_of(step, self.whole, self.first_weekday)
            if len(spans) <= points_max:
                yield step, spans

    def shortened(self, rows_max: int) -> "Overview":
        """Return it with at most `rows_max` rows: the longest sections lose their last ones."""
        lengths = [len(section.rows) for section in self.sections]
        while sum(lengths) > max(rows_max, 0):
            lengths[lengths.index(max(lengths))] -= 1
        cut = [
            replace(section, rows=_foremost(section.rows, length), more=len(section.rows) - length)
            if length < len(section.rows)
            else section
            for section, length in zip(self.sections, lengths, strict=True)
        ]
        return replace(self, sections=cut)

    @property
    def titles(self) -> int:
        """Number of sections with rows."""
        return sum(bool(section.rows) for section in self.sections)

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all sections."""
        return (row for section in self.sections for row in section.rows)


def overview(
    settings: Settings, site: str, extent: Extent, records: Iterable[MetricRecord]
) -> Overview:
    """Choose the rows of one site from its records without segments."""
    by_metric: dict[str, list[MetricRecord]] = {}
    for record in records:
        by_metric.setdefault(record.metric, []).append(record)
    numbers = {name: numbers_of(own) for name, own in by_metric.items()}
    calendar = Calendar(settings.timezone_of(site), settings.week_start_of(site))
    first, newest = (datetime.fromisoformat(calendar.rfc3339(time)) for time in extent)
    last_over = _last_over(numbers.values(), newest.date())
    whole = Days(first.date(), last_over or newest.date())
    compared = next((days for days in _COMPARED if whole.length >= 2 * days), 0)
    weekday = 6 if settings.week_start_of(site) == "sunday" else 0
    look = _Look(whole, compared)
    found = [look.section(title, metrics, numbers) for title, metrics in sections(settings)]
    return Overview(
        site, calendar.timezone, first, newest, whole, last_over == newest.date(), compared, weekday,
        found,
    )  # fmt: skip


def _last_over(numbers: Iterable[Numbers], newest: date) -> date | None:
    """Return the last day with events that is over; None if none is."""
    over = [
        days.last
        for own in numbers
        for days, record in own.of_days.get("day", ())
        if record.is_final and days.last <= newest
    ]
    return max(over, default=None)


@dataclass(frozen=True, slots=True)
class _Look:
    """How the numbers of one site are looked at."""

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


def _foremost(rows: Sequence[Row], count: int) -> list[Row]:
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
