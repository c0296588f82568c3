"""Chooses what an overview of a report shows of each site: its period, and rows by section."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from agents.report.rows import Look, Row, Section, foremost
from agents.report.sections import sections
from agents.report.series import BY_LENGTH, STEPS, Days, Numbers, Step, numbers_of, steps_of
from schemas.outputs import MetricRecord, WindowKind
from stream.counters.calendar import Calendar
from stream.report.extent import Extent
from stream.settings.application import Settings

#: Windows whose records an overview reads.
KINDS: tuple[WindowKind, ...] = ("all", *BY_LENGTH)
#: Lengths in days of the newest days that are compared with as many before.
_COMPARED = (28, 7, 1)
#: Longest input whose series is by day, and by week, in steps.
_STEPS_MAX: dict[Step, int] = {"day": 62, "week": 156}
#: A series may leave out the oldest steps down to this part of them before longer steps are taken.
_SHOWN_MIN = 1 / 3


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
            replace(section, rows=foremost(section.rows, length), more=len(section.rows) - length)
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
    look = Look(whole, compared)
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
