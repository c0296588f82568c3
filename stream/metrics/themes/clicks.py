"""Metrics of click-through: clicks on content per time it was shown, and people who click."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from schemas.events.clicks import Click, Impression
from stream.counters import measures
from stream.counters.segments import JOINT, Segment, SegmentRegistry
from stream.history.daily import Daily
from stream.history.distinct_days import DistinctDays
from stream.history.events import Aggregate, Contributions, HistoryEntry, Index, at
from stream.history.order import EntryOrder
from stream.metrics.counted_by import PERSON, CountedBy
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import Total
from stream.metrics.theme import Theme
from stream.sessions.pages import CONTENT
from stream.sessions.session import sid_digest
from stream.settings.application import Settings

#: Distinct people with an impression on the day.
VIEWERS_DAY = "viewers_day"
# The time within which a click is matched is in the name of the measure.
COUNTED_BY: CountedBy = {VIEWERS_DAY: PERSON, "matched_*": PERSON}
_MATCHED = ("ctr.match_impression", "ctr.attribution_window_seconds")


def aggregates(settings: Settings) -> Iterator[Aggregate]:
    """Yield what is kept of people for the click-through that the settings choose; nothing by default."""
    if settings.ctr.denominator == "unique_viewers":
        yield Viewers()
    if settings.ctr.match_impression:
        yield Matched(settings)


class Viewers(Daily):
    """Aggregate of the days on which a person was shown content."""

    name = "seen"
    types: Collection[str] = ("impression",)
    keep_days = 1

    def entry(self, _event: Any) -> Sequence[Any] | None:
        """Keep an impression without any field."""
        return ()

    def segments(self, entry: HistoryEntry, registry: SegmentRegistry) -> tuple[Segment, ...]:
        """Return the segments of the impression."""
        return registry.by_id(entry[1]).segments

    def rolling(self, segment: Segment) -> Mapping[int, str]:  # noqa: ARG002
        """Return single days."""
        return {1: VIEWERS_DAY}


class Matched(Aggregate):
    """Aggregate of clicks on content that the person was shown shortly before.

    A click belongs to the last impression of its content at or before it. It counts in the window and
    the segments of that impression; without one it does not count.
    """

    types: Collection[str] = ("impression", "click")
    keep_days = 1

    def __init__(self, settings: Settings) -> None:
        self._reach_ms = settings.ctr.attribution_window_seconds * 1000
        self.clicks, self.clickers = _measures(settings)
        self.name = self.clicks

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the content, and the id of a click: two clicks at one instant count twice."""
        if isinstance(event, Impression):
            return event.content_id, b""
        if isinstance(event, Click) and event.content_id is not None:
            return event.content_id, sid_digest(event.event_id)
        return None

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an index by content."""
        return _MatchedIndex(self, registry, self._reach_ms)


class _MatchedIndex:
    """The impressions and clicks of a person, by content, and the impression of each click."""

    def __init__(self, matched: "Matched", registry: SegmentRegistry, reach_ms: int) -> None:
        self._matched = matched
        self._registry = registry
        self._reach_ms = reach_ms
        self._order = EntryOrder(registry, matched.in_order)
        self._impressions: dict[str, list[HistoryEntry]] = {}
        self._clicks: dict[str, list[HistoryEntry]] = {}
        self._days: dict[Segment, DistinctDays] = {}

    def load(self, entries: Sequence[HistoryEntry]) -> None:
        """Take in the known entries."""
        self._take(entries, None)

    def add(self, new: Sequence[HistoryEntry]) -> Contributions:
        """Take in new entries, and return the change of the counts."""
        counts: Contributions = Contributions()
        self._take(new, counts)
        return counts

    def _take(self, entries: Iterable[HistoryEntry], counts: Contributions | None) -> None:
        for entry in entries:
            of_content = (self._clicks if entry[3] else self._impressions).setdefault(entry[2], [])
            place = self._order.place(of_content, entry)
            if entry[3]:
                self._count(self._impression_of(entry), 1, counts)
            else:
                self._move_clicks(entry, of_content[place - 1 : place], of_content[place:], counts)
            of_content.insert(place, entry)

    def _impression_of(self, click: HistoryEntry) -> HistoryEntry | None:
        """Return the last impression at or before a click, if it is near enough."""
        impressions = self._impressions.get(click[2], [])
        place = bisect_right(impressions, click[0], key=_time_of)
        return self._near(impressions[place - 1] if place else None, click)

    def _near(self, impression: HistoryEntry | None, click: HistoryEntry) -> HistoryEntry | None:
        is_near = impression is not None and click[0] - impression[0] <= self._reach_ms
        return impression if is_near else None

    def _move_clicks(
        self,
        new: HistoryEntry,
        before: Sequence[HistoryEntry],
        after: Sequence[HistoryEntry],
        counts: Contributions | None,
    ) -> None:
        """Move the clicks after a new impression to it, until the next impression."""
        clicks = self._clicks.get(new[2], [])
        for place in range(bisect_left(clicks, new[0], key=_time_of), len(clicks)):
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
        for segment in segment_set.segments:
            days = self._days.get(segment)
            if days is None:
                rolling = {1: self._matched.clickers}
                days = self._days[segment] = DistinctDays(segment, rolling, {})
            (days.add if by > 0 else days.remove)(segment.calendar.day_of(time_ms), counts)
        if counts is not None:
            own = self._registry.own_segment(segment_set.site, CONTENT, content.replace(JOINT, ""))
            for segment in (*segment_set.segments, own):
                at(counts, self._matched.clicks, segment, time_ms, by)


def _time_of(entry: HistoryEntry) -> int:
    return int(entry[0])


def metrics(settings: Settings) -> tuple[Metric, ...]:
    """Return the click-through rates with the clicks and the denominator that the settings choose."""
    return (_unique_click_through(settings), _click_through(settings), _by_content(settings))


def _click_through(settings: Settings) -> Metric:
    views = settings.ctr.denominator == "page_views"
    return Metric(
        name="click_through_rate",
        help=f"Clicks on content per impression. {_exceeds(settings)}",
        unit="ratio",
        formula=f"{_clicks(settings)} ÷ {'page views' if views else 'impressions'}",
        numerator=Total(_measures(settings)[0]),
        denominator=Total(measures.PAGE_VIEWS if views else measures.IMPRESSIONS),
        windows=("trailing_1h", "hour", "day", "all"),
        gauge="click_through_ratio",
        example=Example("100 clicks of 1,000 impressions", 100, 1_000, 0.10),
        chosen_by=("ctr.denominator", *_MATCHED),
    )


def _unique_click_through(settings: Settings) -> Metric:
    of_people = settings.ctr.denominator == "unique_viewers"
    return Metric(
        name="unique_click_through_rate",
        help=f"People who clicked on content per {'person who saw any' if of_people else 'impression'}.",
        unit="ratio",
        formula=f"distinct people with {_clicks(settings, 'a click')} ÷ "
        + ("distinct people with an impression" if of_people else "impressions"),
        numerator=Total(_measures(settings)[1]),
        denominator=Total(VIEWERS_DAY if of_people else measures.IMPRESSIONS),
        windows=("day",),
        gauge="unique_click_through_ratio",
        example=Example("50 people click, 200 impressions", 50, 200, 0.25),
        chosen_by=("ctr.denominator", *_MATCHED),
        benchmark=Benchmark("0.06 to 0.07 is strong", "e-mail and display surveys"),
    )


def _by_content(settings: Settings) -> Metric:
    matched = settings.ctr.match_impression
    return Metric(
        name="content_click_through_rate",
        help=f"Clicks on the content per impression of it. {_exceeds(settings)}",
        unit="ratio",
        formula=f"clicks on the content{_shown(settings)} ÷ impressions of it",
        numerator=Total(_measures(settings)[0] if matched else measures.CONTENT_CLICKS),
        denominator=Total(measures.CONTENT_IMPRESSIONS),
        windows=("hour", "day"),
        gauge="content_click_through_ratio",
        example=Example("4 clicks of 40 impressions", 4, 40, 0.10),
        chosen_by=_MATCHED,
        by=("content",),
        plain=False,
    )


def _measures(settings: Settings) -> tuple[str, str]:
    """Return the measures (clicks, people who click). The matching time is in their name."""
    if not settings.ctr.match_impression:
        return measures.CLICKS, measures.CLICKERS_DAY
    seconds = settings.ctr.attribution_window_seconds
    return f"matched_clicks_{seconds}", f"matched_clickers_{seconds}"


def _clicks(settings: Settings, clicks: str = "clicks") -> str:
    return f"{clicks} on content{_shown(settings)}"


def _shown(settings: Settings) -> str:
    seconds = settings.ctr.attribution_window_seconds
    return f" shown at most {seconds} s before" if settings.ctr.match_impression else ""


def _exceeds(settings: Settings) -> str:
    if settings.ctr.match_impression:
        return "Above 1 if content is clicked several times."
    return "Above 1 if clicks lack impressions."


THEME = Theme(
    title="Click-through",
    text="How often content is clicked where it is shown.",
    metrics=metrics,
    aggregates=aggregates,
    counted_by=COUNTED_BY,
)
