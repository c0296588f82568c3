"""Habits: what one more active day of a person changes about coming back, staying away and coming anew.

Every number here is a count of people that follows from the set of a person's active days, so it is
the difference of two looks at that set, without and with the day: in whatever order days arrive, the
sums end the same. Nothing looks back further than MARK_DAYS, nor further ahead than what is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from stream.counters import measures
from stream.counters.calendar import Calendar
from stream.people.active_days import REACH_DAYS, Mark

#: Stands for the first day of somebody who had none.
NEVER = -1
RECENT_DAYS, EARLIER_DAYS = 7, 21
#: The rolling windows in which distinct people are always counted: (length in days, measure).
ROLLING = ((1, measures.ACTIVE_DAY), (7, measures.ACTIVE_7D), (28, measures.ACTIVE_28D))
_LATER_DAYS = RECENT_DAYS + EARLIER_DAYS - 1
_RECENT, _EARLIER = (1 << RECENT_DAYS) - 1, (1 << EARLIER_DAYS) - 1


def known_around(mark: Mark | None, day: int) -> "Days":
    """What of a person's days can matter to a new one: equal for as many people as possible."""
    if mark is None:
        return Days(day, 0, NEVER)
    top, mask, first = mark
    keep = top - day + REACH_DAYS + 1
    if keep <= 0:
        return Days(day, 0, day - REACH_DAYS)
    return Days(top, mask & ((1 << keep) - 1), max(first, day - REACH_DAYS))


class Days(NamedTuple):
    """A person's active days, without a new one: bit i of the mask is day `top - i`."""

    top: int
    mask: int
    #: The first one ever, however long ago; NEVER when there was none.
    first: int

    def within(self, first: int, last: int) -> int:
        """How many active days from first to last."""
        last = min(last, self.top)
        if last < first:
            return 0
        return (self.mask >> (self.top - last) & ((1 << (last - first + 1)) - 1)).bit_count()

    def is_new(self, start: int, end: int, pause: int) -> bool:
        """Whether somebody comes on a day in [start, end), and on none of the `pause` days before it."""
        last = min(end - 1, self.top)
        inside = (
            self.mask >> (self.top - last) & ((1 << (last - start + 1)) - 1) if last >= start else 0
        )
        if not inside:
            return False
        first = last - inside.bit_length() + 1
        return not self.within(first - pause, first - 1)

    def and_day(self, day: int) -> "Days":
        """With one more day."""
        first = day if self.first == NEVER else min(self.first, day)
        if day > self.top:
            return Days(day, self.mask << (day - self.top) | 1, first)
        return Days(self.top, self.mask | 1 << (self.top - day), first)


@dataclass(frozen=True, slots=True)
class Return:
    """Coming back: on `least` of the days `nearest` … `farthest` after the cohort's day."""

    measure: str
    nearest: int
    farthest: int
    least: int = 1


@dataclass(frozen=True, slots=True)
class FirstDays:
    """The active days among the first so many since the first one ever, which is one of them."""

    measure: str
    length: int


@dataclass(frozen=True, slots=True)
class LifecycleRules:
    """Which returns are counted: of those who were new on a day, and of all who were active on it.

    And in which rolling windows distinct people are; none may be longer than habits look back.
    """

    of_new: tuple[Return, ...] = ()
    of_active: tuple[Return, ...] = ()
    rolling: tuple[tuple[int, str], ...] = ROLLING
    first_days: FirstDays | None = None
    #: Who stays away for so many days is new again when they come; 0: nobody is.
    new_after_days: int = 0
    #: Whether people are also counted by the number of weeks of a month in which they came.
    weeks_of_month: bool = False


class Change(NamedTuple):
    """How a count on a day changes."""

    measure: str
    day: int
    by: int


class Step(NamedTuple):
    """People who had `before` active days in a period that begins on a day, and now have one more.

    Or weeks, as `bars` says, which is the histogram's dimension.
    """

    bars: str
    measure: str
    day: int
    before: int


def changes(known: Days, day: int, rules: LifecycleRules, calendar: Calendar) -> list[Change]:
    """What a new active day changes in the counts of a segment."""
    return [
        *_lifecycle(known, day, calendar),
        *_new_after(known, day, rules.new_after_days, calendar),
        *_returns_of_new(known, day, rules.of_new),
        *_first_days(known, day, rules.first_days),
        *_returns_of_active(known, day, rules.of_active),
        *_fading(known, day),
    ]


def steps(known: Days, day: int, rules: LifecycleRules, calendar: Calendar) -> list[Step]:
    """In which bars of the histograms of active days and weeks the person was."""
    week, month, end = calendar.week_of(day), calendar.month_of(day), calendar.next_month(day) - 1
    bars = measures.ACTIVE_DAYS
    found = [
        Step(bars, measures.ACTIVE_DAYS_WEEK, week, known.within(week, week + 6)),
        Step(bars, measures.ACTIVE_DAYS_MONTH, month, known.within(month, end)),
    ]
    if rules.weeks_of_month and not known.within(max(week, month), min(week + 6, end)):
        # The weeks at the edges count with their days in the month.
        weeks = range(calendar.week_of(month), end + 1, 7)
        before = [first for first in weeks if known.within(max(first, month), min(first + 6, end))]
        found.append(Step(measures.ACTIVE_WEEKS, measures.ACTIVE_WEEKS_MONTH, month, len(before)))
    return found


def _lifecycle(known: Days, day: int, calendar: Calendar) -> Iterator[Change]:
    """People active in a period and in the one before (retained), or only in that one (dormant)."""
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
    """Who is new to a day, a week and a month: after a pause before their first day in it."""
    if not pause:
        return
    later = known.and_day(day)
    for period, first_of, next_of in (
        ("day", int, lambda start: start + 1),
        ("week", calendar.week_of, lambda start: start + 7),
        ("month", calendar.month_of, calendar.next_month),
    ):
        start = first_of(day)
        # The day is part of the pause before the periods that follow soon.
        while start <= day + pause:
            end = next_of(start)
            by = later.is_new(start, end, pause) - known.is_new(start, end, pause)
            if by:
                yield Change(measures.new_after(pause, period), start, by)
            start = end


def _returns_of_new(known: Days, day: int, returns: tuple[Return, ...]) -> Iterator[Change]:
    """Of the cohort of the person's first day; an older first day moves them to its cohort."""
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
    """Of the cohort of the person's first day: on how many of its days they came, as a sum."""
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
    """Of the cohorts of all the person's active days."""
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
    """Less than half as often in the last 7 days as in the 21 before: less than a sixth as many days."""
    # Bit 0 is the last day of the last window that holds the new day.
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
