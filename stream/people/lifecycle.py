"""Lifecycle: what one more active day changes in the counts of retained, dormant and new people.

Every count is a function of the set of a person's active days. A new day counts the difference between
the set with it and the set without it, so the sums are equal for any order of days. Nothing looks back
further than BITMAP_DAYS, nor ahead of the newest known day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from stream.counters import measures
from stream.counters.calendar import Calendar
from stream.people.active_days import REACH_DAYS, Bitmap

#: First day of a person without any active day.
NEVER = -1
RECENT_DAYS, EARLIER_DAYS = 7, 21
#: Rolling windows in which distinct people are always counted: (length in days, measure).
ROLLING = ((1, measures.ACTIVE_DAY), (7, measures.ACTIVE_7D), (28, measures.ACTIVE_28D))
_LATER_DAYS = RECENT_DAYS + EARLIER_DAYS - 1
_RECENT, _EARLIER = (1 << RECENT_DAYS) - 1, (1 << EARLIER_DAYS) - 1


def known_around(bitmap: Bitmap | None, day: int) -> "Days":
    """Return the active days that can matter to a new day; many people share the answer."""
    if bitmap is None:
        return Days(day, 0, NEVER)
    top, mask, first = bitmap
    keep = top - day + REACH_DAYS + 1
    if keep <= 0:
        return Days(day, 0, day - REACH_DAYS)
    return Days(top, mask & ((1 << keep) - 1), max(first, day - REACH_DAYS))


class Days(NamedTuple):
    """A person's known active days: bit i of the mask is day `top - i`."""

    top: int
    mask: int
    #: First active day ever; NEVER without one.
    first: int

    def within(self, first: int, last: int) -> int:
        """Count the active days from first to last."""
        last = min(last, self.top)
        if last < first:
            return 0
        return (self.mask >> (self.top - last) & ((1 << (last - first + 1)) - 1)).bit_count()

    def is_new(self, start: int, end: int, pause: int) -> bool:
        """Return whether a day in [start, end) is active and the `pause` days before the first such are not."""
        last = min(end - 1, self.top)
        inside = (
            self.mask >> (self.top - last) & ((1 << (last - start + 1)) - 1) if last >= start else 0
        )
        if not inside:
            return False
        first = last - inside.bit_length() + 1
        return not self.within(first - pause, first - 1)

    def and_day(self, day: int) -> "Days":
        """Return the days with one more."""
        first = day if self.first == NEVER else min(self.first, day)
        if day > self.top:
            return Days(day, self.mask << (day - self.top) | 1, first)
        return Days(self.top, self.mask | 1 << (self.top - day), first)


@dataclass(frozen=True, slots=True)
class Return:
    """A return: active on `least` of the days `nearest` … `farthest` after the cohort's day."""

    measure: str
    nearest: int
    farthest: int
    least: int = 1


@dataclass(frozen=True, slots=True)
class FirstDays:
    """The active days among the first `length` days, which begin with the first active day."""

    measure: str
    length: int


@dataclass(frozen=True, slots=True)
class LifecycleRules:
    """Returns and rolling windows to count; no window may be longer than REACH_DAYS."""

    #: Of the people new on a day, and of all people active on it.
    of_new: tuple[Return, ...] = ()
    of_active: tuple[Return, ...] = ()
    rolling: tuple[tuple[int, str], ...] = ROLLING
    first_days: FirstDays | None = None
    #: new.lookback_days: a person who comes after this many inactive days is new again; 0: never.
    lookback_days: int = 0
    #: stickiness.interval: whether people are also counted by their active weeks in a month.
    interval_is_week: bool = False


class Change(NamedTuple):
    """A change of a count on a day."""

    measure: str
    day: int
    by: int


class Step(NamedTuple):
    """A person with `before` active days in the period that begins on `day`, who now has one more.

    `bars` is the histogram's dimension: active days or active weeks.
    """

    bars: str
    measure: str
    day: int
    before: int


def changes(known: Days, day: int, rules: LifecycleRules, calendar: Calendar) -> list[Change]:
    """Return what a new active day changes in the counts of a segment."""
    return [
        *_lifecycle(known, day, calendar),
        *_new_after(known, day, rules.lookback_days, calendar),
        *_returns_of_new(known, day, rules.of_new),
        *_first_days(known, day, rules.first_days),
        *_returns_of_active(known, day, rules.of_active),
        *_fading(known, day),
    ]


def steps(known: Days, day: int, rules: LifecycleRules, calendar: Calendar) -> list[Step]:
    """Return the bars in which the person stood in the histograms of active days and weeks."""
    week, month, end = calendar.week_of(day), calendar.month_of(day), calendar.next_month(day) - 1
    bars = measures.ACTIVE_DAYS
    found = [
        Step(bars, measures.ACTIVE_DAYS_WEEK, week, known.within(week, week + 6)),
        Step(bars, measures.ACTIVE_DAYS_MONTH, month, known.within(month, end)),
    ]
    if rules.interval_is_week and not known.within(max(week, month), min(week + 6, end)):
        # Weeks at the edges of the month count only with their days in it.
        weeks = range(calendar.week_of(month), end + 1, 7)
        before = [first for first in weeks if known.within(max(first, month), min(first + 6, end))]
        found.append(Step(measures.ACTIVE_WEEKS, measures.ACTIVE_WEEKS_MONTH, month, len(before)))
    return found


def _lifecycle(known: Days, day: int, calendar: Calendar) -> Iterator[Change]:
    """Yield changes of retained (active in a period and the one before) and dormant people."""
    week, month, next_month = (
        calendar.week_of(day),
        calendar.month_of(day),
        calendar.next_month(day),
    )
    for retained, dormant, before, start, end, after in (
        (measures.RETAINED_DAY, measures.DORMANT_DAY, day - 1, day, day + 1, day + 2),
        (measures.RETAINED_WEEK, measures.DORMANT_WEEK, week - 7, week, week + 7, week + 14),
        (
            measures.RETAINED_MONTH, measures.DORMANT_MONTH,
            calendar.month_of(month - 1), month, next_month, calendar.next_month(next_month),
        ),
    ):  # fmt: skip
        if known.within(start, end - 1):
            continue
        if known.within(before, start - 1):
            yield Change(retained, start, 1)
            yield Change(dormant, start, -1)
        yield Change(retained if known.within(end, after - 1) else dormant, end, 1)


def _new_after(known: Days, day: int, pause: int, calendar: Calendar) -> Iterator[Change]:
    """Yield changes of people new to a day, week or month after a pause."""
    if not pause:
        return
    later = known.and_day(day)
    for period, first_of, next_of in (
        ("day", int, lambda start: start + 1),
        ("week", calendar.week_of, lambda start: start + 7),
        ("month", calendar.month_of, calendar.next_month),
    ):
        start = first_of(day)
        # The day ends the pause before the periods that follow soon.
        while start <= day + pause:
            end = next_of(start)
            by = later.is_new(start, end, pause) - known.is_new(start, end, pause)
            if by:
                yield Change(measures.new_after(pause, period), start, by)
            start = end


def _returns_of_new(known: Days, day: int, returns: tuple[Return, ...]) -> Iterator[Change]:
    """Yield returns in the cohort of the first day; an older first day moves the person to its cohort."""
    first = known.first
    if NEVER < first < day:
        for one in returns:
            nearest, farthest = first + one.nearest, first + one.farthest
            if nearest <= day <= farthest and known.within(nearest, farthest) == one.least - 1:
                yield Change(one.measure, first, 1)
        return
    later = known.and_day(day)
    for one in returns:
        if first != NEVER and _returned(known, first, one):
            yield Change(one.measure, first, -1)
        if _returned(later, day, one):
            yield Change(one.measure, day, 1)


def _first_days(known: Days, day: int, rule: FirstDays | None) -> Iterator[Change]:
    """Yield changes of the sum of active first days, in the cohort of the first day."""
    if rule is None:
        return
    first, measure = known.first, rule.measure
    if NEVER < first < day:
        if day < first + rule.length:
            yield Change(measure, first, 1)
        return
    if first != NEVER:
        yield Change(measure, first, -known.within(first, first + rule.length - 1))
    yield Change(measure, day, 1 + known.within(day, day + rule.length - 1))


def _returns_of_active(known: Days, day: int, returns: tuple[Return, ...]) -> Iterator[Change]:
    """Yield returns in the cohorts of all active days."""
    later = known.and_day(day)
    for one in returns:
        for cohort in (day, *range(day - one.farthest, day - one.nearest + 1)):
            if not later.within(cohort, cohort):
                continue
            had = cohort != day and _returned(known, cohort, one)
            if _returned(later, cohort, one) and not had:
                yield Change(one.measure, cohort, 1)


def _returned(days: Days, cohort: int, one: Return) -> bool:
    return days.within(cohort + one.nearest, cohort + one.farthest) >= one.least


def _fading(known: Days, day: int) -> Iterator[Change]:
    """Yield changes of people at risk by rule: under half the usual rate in the last 7 days.

    Usual is the rate of the 21 days before; half of it is a sixth of their active days.
    """
    # Bit 0 is the last day of the last window that contains the new day.
    ahead = known.top - day - _LATER_DAYS
    around = known.mask >> ahead if ahead > 0 else known.mask << -ahead
    for after in range(_LATER_DAYS + 1):
        window = around >> (_LATER_DAYS - after)
        recent = (window & _RECENT).bit_count()
        earlier = (window >> RECENT_DAYS & _EARLIER).bit_count()
        was = 6 * recent < earlier
        if after < RECENT_DAYS:
            recent += 1
        else:
            earlier += 1
        change = (6 * recent < earlier) - was
        if change:
            yield Change(measures.CHURN_RISK_DAY, day + after, change)
