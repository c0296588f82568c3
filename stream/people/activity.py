"""Activity: turns newly active days, hours and minutes into counts, a batch at a time."""

from collections.abc import Iterable
from typing import Protocol

from stream.counters import measures
from stream.counters.calendar import HOUR_MS, MINUTE_MS, Calendar
from stream.counters.measures import Grain
from stream.counters.segments import Segment, SegmentRegistry, SegmentSet, by_segment
from stream.counters.table import Counters
from stream.people.active_days import (
    FAR,
    REACH_DAYS,
    Bitmap,
    SegmentBitmaps,
    add_unit,
    has_unit,
    mark_unit,
    neighbours,
    windows_gained,
)
from stream.people.lifecycle import Change, Days, LifecycleRules, Step, changes, known_around, steps
from stream.people.newcomers import Activation, count_change
from stream.people.person import Person
from stream.people.range_days import RangeDays
from stream.settings.application import Settings

#: Bitmaps of live minutes longer than this are shortened where possible.
_LONG = 64
_ROLLING_HOURS = ((24, measures.ACTIVE_24H), (168, measures.ACTIVE_168H))
#: Hours kept: the longest window of hours.
HOURS_KEPT = 168
#: Longest calendar month in days.
_MONTH_DAYS = 31
_NONE = -1
assert FAR > REACH_DAYS


class ActivityRules(Protocol):
    """The rules that decide how activity is counted."""

    @property
    def lifecycle(self) -> LifecycleRules: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def activation(self) -> Activation | None: ...


class Activity:
    """Collects equal changes of a batch and counts each kind once in `flush`."""

    def __init__(self, counters: Counters, registry: SegmentRegistry, rules: ActivityRules) -> None:
        #: Minutes in which a person with any event is a live visitor.
        self._live = rules.settings.active.live_minutes
        #: Whether people are also counted by the hour.
        self.hourly = rules.settings.active.rolling_hours
        self._counters = counters
        self._registry = registry
        self._lifecycle = lifecycle = rules.lifecycle
        self._activation = rules.activation
        #: Distances beyond the longest window count alike and share a counter.
        self._near = 1 + max(_MONTH_DAYS, *(length for length, _ in lifecycle.rolling))
        #: People over the range of a report, active and clicking; None without one.
        self._in_range: RangeDays | None = None
        self._clicked_in_range: RangeDays | None = None
        #: Live minutes before this one cannot change any more.
        self.oldest_minute = 0
        #: (day, days since the active day before, days to the one after, the later of the day and the
        #: first day so far) → people by group
        self._days: dict[tuple[int, int, int, int], dict[SegmentSet, int]] = {}
        #: (day, known active days around it) → people by group
        self._habitual: dict[tuple[int, Days], dict[SegmentSet, int]] = {}
        #: (minute, minutes since the one before, minutes to the one after) → people by group
        self._minutes: dict[tuple[int, int, int], dict[SegmentSet, int]] = {}
        #: The same for events in time order, as most are: minute → minutes since the one before → people.
        self._forward: dict[int, list[dict[SegmentSet, int]]] = {}
        self._clicks: dict[int, dict[SegmentSet, int]] = {}
        #: (hour, hours since the one before, hours to the one after) → people by group
        self._hours: dict[tuple[int, int, int], dict[SegmentSet, int]] = {}

    def count_range(self, first: int, last: int) -> None:
        """Count people once over the days first … last, from the first event on."""
        self._in_range = RangeDays(measures.ACTIVE_DAY, first, last)
        self._clicked_in_range = RangeDays(measures.CLICKERS_DAY, first, last)

    def mark_day(self, person: Person, segment_set: SegmentSet, day: int) -> None:
        """Mark a day as active in the segments of a segment set."""
        activation = self._activation
        if activation is None or not person.history:
            mark_unit(person.active, segment_set, day, self._day)
            return
        # An earlier first day changes which known events are in the first days.
        before = activation.counted(person, self._registry)
        mark_unit(person.active, segment_set, day, self._day)
        count_change(self._counters, before, activation.counted(person, self._registry))

    def mark_hour(self, person: Person, segment_set: SegmentSet, time_ms: int) -> None:
        """Mark an hour as active in the segments of a segment set."""
        if person.hours is None:
            person.hours = SegmentBitmaps()
        # A rolling hour begins at an epoch minute; no two of a zone begin in one hour of UTC.
        hour = segment_set.calendar.rolling_hour_of(time_ms)
        mark_unit(person.hours, segment_set, hour // 60, self._hour)

    def mark_minute(self, person: Person, segment_set: SegmentSet, minute: int) -> None:
        """Mark a minute as live in the segments of a segment set."""
        bitmaps = person.live
        if bitmaps.segment_set is not segment_set:
            bitmaps.turn_to(segment_set)
        bitmap, group = bitmaps.bitmap, bitmaps.group
        if bitmap is not None and 0 < (gone := minute - bitmap[0]) < _LONG:
            live = self._live
            self._step(group or segment_set, minute, gone if gone < live else live)
            bitmaps.bitmap = (minute, bitmap[1] << gone | 1)
        elif not has_unit(bitmap, minute):
            bitmaps.bitmap = self._minute(group or segment_set, bitmap, minute)
        if bitmaps.rest:
            bitmaps.rest = [
                (other, bitmap if has_unit(bitmap, minute) else self._minute(other, bitmap, minute))
                for other, bitmap in bitmaps.rest
            ]

    def mark_click(self, person: Person, segment_set: SegmentSet, day: int) -> None:
        """Mark a day with a click on content in the segments of a segment set."""
        if person.clicked is None:
            person.clicked = SegmentBitmaps()
        mark_unit(person.clicked, segment_set, day, self._click)

    def flush(self) -> None:
        """Count the collected changes."""
        for (day, before, after, first), groups in self._days.items():
            for segment, people in by_segment(groups).items():
                self._count_rolling(segment, day, before, after, people)
                self._count_periods(segment, day, before, after, people)
                self._count_new(segment, day, first, people)
        self._count_lifecycle()
        for minute, forward in self._forward.items():
            for gone, groups in enumerate(forward):
                self._count_live(groups, minute, gone, self._live)
        for (minute, before, after), groups in self._minutes.items():
            self._count_live(groups, minute, before, after)
        for day, groups in self._clicks.items():
            for segment, people in by_segment(groups).items():
                self._counters.add_in(Grain.DAY, day, measures.CLICKERS_DAY, segment, people)
        for (hour, before, after), groups in self._hours.items():
            for segment, people in by_segment(groups).items():
                self._count_hours(segment, hour, before, after, people)
        if self._in_range is not None and self._clicked_in_range is not None:
            self._in_range.flush(self._counters)
            self._clicked_in_range.flush(self._counters)
        self._hours.clear()
        self._days.clear()
        self._habitual.clear()
        self._forward.clear()
        self._minutes.clear()
        self._clicks.clear()

    def _count_live(
        self, groups: dict[SegmentSet, int], minute: int, before: int, after: int
    ) -> None:
        start, end = windows_gained(minute, before, after, self._live)
        for segment, people in by_segment(groups).items():
            self._counters.add_range(Grain.MINUTE, measures.LIVE, segment, start, end, people)

    def _day(self, group: SegmentSet, bitmap: Bitmap | None, day: int) -> Bitmap:
        if self._in_range is not None:
            self._in_range.note(group, bitmap, day)
        _count(self._habitual.setdefault((day, known_around(bitmap, day)), {}), group)
        if bitmap is None:
            _count(self._days.setdefault((day, self._near, self._near, _NONE), {}), group)
            return day, 1, day
        before, after = neighbours(bitmap, day)
        first = bitmap[2]
        # Only an event before the first day changes new people; all others share one counter.
        key = (day, min(before, self._near), min(after, self._near), max(first, day))
        _count(self._days.setdefault(key, {}), group)
        return (*add_unit(bitmap, day), min(first, day))

    def _step(self, group: SegmentSet, minute: int, gone: int) -> None:
        steps = self._forward.get(minute)
        if steps is None:
            steps = self._forward[minute] = [{} for _ in range(self._live + 1)]
        _count(steps[gone], group)

    def _click(self, group: SegmentSet, bitmap: Bitmap | None, day: int) -> Bitmap:
        _count(self._clicks.setdefault(day, {}), group)
        if self._clicked_in_range is not None:
            self._clicked_in_range.note(group, bitmap, day)
        return add_unit(bitmap, day)

    def _minute(self, group: SegmentSet, bitmap: Bitmap | None, minute: int) -> Bitmap:
        if bitmap is None or (minute - bitmap[0] > _LONG and bitmap[0] < self.oldest_minute):
            _count(self._minutes.setdefault((minute, self._live, self._live), {}), group)
            return minute, 1
        before, after = neighbours(bitmap, minute)
        key = (minute, min(before, self._live), min(after, self._live))
        _count(self._minutes.setdefault(key, {}), group)
        return add_unit(bitmap, minute)

    def _hour(self, group: SegmentSet, bitmap: Bitmap | None, hour: int) -> Bitmap:
        before, after = neighbours(bitmap, hour)
        key = (hour, min(before, HOURS_KEPT), min(after, HOURS_KEPT))
        _count(self._hours.setdefault(key, {}), group)
        return add_unit(bitmap, hour)

    def _count_hours(
        self, segment: Segment, hour: int, before: int, after: int, people: int
    ) -> None:
        hour_of = segment.calendar.rolling_hour_of
        for length, measure in _ROLLING_HOURS:
            start, end = windows_gained(hour, before, after, length)
            for unit in range(start, end + 1):
                # The rolling hour that begins in this hour of UTC is under way at its end.
                index = hour_of((unit + 1) * HOUR_MS - MINUTE_MS)
                self._counters.add_in(Grain.HOUR, index, measure, segment, people)

    def _count_rolling(
        self, group: Segment, day: int, before: int, after: int, people: int
    ) -> None:
        for length, measure in self._lifecycle.rolling:
            start, end = windows_gained(day, before, after, length)
            self._counters.add_range(Grain.DAY, measure, group, start, end, people)

    def _count_periods(
        self, group: Segment, day: int, before: int, after: int, people: int
    ) -> None:
        """Count calendar weeks and months, in the bucket of their first day."""
        calendar = group.calendar
        week, month = calendar.week_of(day), calendar.month_of(day)
        for measure, start, end in (
            (measures.ACTIVE_WEEK, week, week + 6),
            (measures.ACTIVE_MONTH, month, calendar.next_month(day) - 1),
        ):
            if day - before < start and day + after > end:
                self._counters.add_range(Grain.DAY, measure, group, start, start, people)

    def _count_new(self, group: Segment, day: int, first: int, people: int) -> None:
        """Count a new person; an older event moves them to its own day, week and month."""
        if first == _NONE:
            self._counters.add_at(Grain.ALL, 0, group.series(measures.NEW_ALL), people)
        elif day < first:
            self._add_new(group, first, -people)
        else:
            return
        self._add_new(group, day, people)

    def _count_lifecycle(self) -> None:
        """Count the lifecycle of people, and the histograms of active days, which are per site."""
        # Many pasts change the same few counts: sum them before splitting by segment.
        changed: dict[Change, dict[SegmentSet, int]] = {}
        stepped: dict[Step, dict[SegmentSet, int]] = {}
        for (day, known), groups in self._habitual.items():
            # One answer a calendar serves all groups of its sites.
            found: dict[Calendar, tuple[list[Change], list[Step]]] = {}
            for group, people in groups.items():
                calendar = group.calendar
                if calendar not in found:
                    found[calendar] = (
                        changes(known, day, self._lifecycle, calendar),
                        steps(known, day, self._lifecycle, calendar),
                    )
                of_change, of_step = found[calendar]
                for change in of_change:
                    _count(changed.setdefault(change, {}), group, people)
                for step in of_step:
                    _count(stepped.setdefault(step, {}), group, people)
        for change, groups in changed.items():
            for segment, people in by_segment(groups).items():
                count = change.by * people
                self._counters.add_in(Grain.DAY, change.day, change.measure, segment, count)
        for step, groups in stepped.items():
            for segment, people in by_segment(groups).items():
                if not segment.dimension:
                    self._count_step(segment.site, step, people)

    def _count_step(self, site: str, step: Step, people: int) -> None:
        for days, count in ((step.before, -people), (step.before + 1, people)):
            if days:
                bar = self._registry.own_segment(site, step.bars, str(days))
                self._counters.add_in(Grain.DAY, step.day, step.measure, bar, count)

    def _add_new(self, group: Segment, day: int, people: int) -> None:
        calendar = group.calendar
        starts: Iterable[tuple[str, int]] = (
            (measures.NEW_DAY, day),
            (measures.NEW_WEEK, calendar.week_of(day)),
            (measures.NEW_MONTH, calendar.month_of(day)),
        )
        for measure, start in starts:
            self._counters.add_range(Grain.DAY, measure, group, start, start, people)
        if not group.dimension:
            self._counters.add_range(Grain.DAY, measures.KNOWN, group, day, day, people)


def _count(groups: dict[SegmentSet, int], group: SegmentSet, people: int = 1) -> None:
    groups[group] = groups.get(group, 0) + people
