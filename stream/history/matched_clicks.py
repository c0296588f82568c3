"""Index of clicks on content that their person was shown shortly before."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from stream.counters.segments import JOINT, SegmentRegistry
from stream.history.contributions import Contributions
from stream.history.distinct_days import DayWindows, DistinctDays
from stream.history.events import EachEntry, FieldsKey, HistoryEntry, time_of
from stream.history.groups import Groups
from stream.history.order import EntryOrder


class MatchRules:
    """The measures of matched clicks and of their people, and how long a click is matched."""

    __slots__ = ("clicks", "dimension", "reach_ms", "windows")

    def __init__(self, clicks: str, clickers: str, dimension: str, reach_ms: int) -> None:
        """`dimension` is that of content."""
        self.clicks = clicks
        self.windows = DayWindows([(1, clickers)])
        self.dimension = dimension
        self.reach_ms = reach_ms


class MatchedClicks(EachEntry):
    """The impressions and clicks of a person, by content, and the impression of each click."""

    __slots__ = ("_clicks", "_days", "_impressions", "_order", "_registry", "_rules")

    def __init__(self, rules: MatchRules, registry: SegmentRegistry, fields: FieldsKey) -> None:
        self._rules = rules
        self._registry = registry
        self._order = EntryOrder(registry, fields)
        self._impressions: dict[str, list[HistoryEntry]] = {}
        self._clicks: dict[str, list[HistoryEntry]] = {}
        self._days: Groups[DistinctDays] | None = None

    def take(self, entry: HistoryEntry, counts: Contributions | None) -> None:
        by_content = self._clicks if entry[3] else self._impressions
        of_content = by_content.get(entry[2])
        if of_content is None:
            of_content = by_content[entry[2]] = []
        place = self._order.place(of_content, entry)
        if entry[3]:
            self._count(self._impression_of(entry), 1, counts)
        else:
            self._move_clicks(entry, of_content[place - 1 : place], of_content[place:], counts)
        of_content.insert(place, entry)

    def _impression_of(self, click: HistoryEntry) -> HistoryEntry | None:
        """Return the last impression at or before a click, if it is near enough."""
        impressions = self._impressions.get(click[2], [])
        place = bisect_right(impressions, click[0], key=time_of)
        return self._near(impressions[place - 1] if place else None, click)

    def _near(self, impression: HistoryEntry | None, click: HistoryEntry) -> HistoryEntry | None:
        is_near = impression is not None and click[0] - impression[0] <= self._rules.reach_ms
        return impression if is_near else None

    def _move_clicks(
        self,
        new: HistoryEntry,
        before: Sequence[HistoryEntry],
        after: Sequence[HistoryEntry],
        counts: Contributions | None,
    ) -> None:
        """Move the clicks after a new impression to it, until the next impression."""
        clicks = self._clicks.get(new[2])
        if clicks is None:
            return
        for place in range(bisect_left(clicks, new[0], key=time_of), len(clicks)):
            click = clicks[place]
            if after and click[0] >= after[0][0]:
                break
            self._count(self._near(before[0] if before else None, click), -1, counts)
            self._count(self._near(new, click), 1, counts)

    def _count(
        self, impression: HistoryEntry | None, by: int, counts: Contributions | None
    ) -> None:
        """Count a matched click at its impression, and its person once a day."""
        if impression is None:
            return
        time_ms, segment_set_id, content, _ = impression
        segment_set = self._registry.by_id(segment_set_id)
        if self._days is None:
            self._days = Groups(DistinctDays(segment_set, self._rules.windows))
        day = segment_set.calendar.day_of(time_ms)
        for days in self._days.of(segment_set):
            days.change(day, by, counts)
        if counts is not None:
            name = content.replace(JOINT, "")
            own = self._registry.own_segment(segment_set.site, self._rules.dimension, name)
            counts.at(self._rules.clicks, segment_set, time_ms, by)
            counts.at(self._rules.clicks, own, time_ms, by)
