"""Metrics of click-through: clicks on content per time it was shown, and people who click."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from schemas.events.clicks import Click, Impression
from stream.counters import measures
from stream.counters.segments import Group, SegmentRegistry
from stream.history.aggregates.aggregate import Aggregate
from stream.history.aggregates.daily import Daily
from stream.history.distinct_days import DayWindows
from stream.history.events import HistoryEntry, Index
from stream.history.matched_clicks import MatchedClicks, MatchRules
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
_SINGLE_DAYS = DayWindows([(1, VIEWERS_DAY)])
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

    def groups(self, entry: HistoryEntry, registry: SegmentRegistry) -> tuple[Group, ...]:
        """Return the segments of the impression."""
        return (registry.by_id(entry[1]),)

    def windows(self, group: Group) -> DayWindows:  # noqa: ARG002
        """Return single days."""
        return _SINGLE_DAYS


class Matched(Aggregate):
    """Aggregate of clicks on content that the person was shown shortly before.

    A click belongs to the last impression of its content at or before it. It counts in the window and
    the segments of that impression; without one it does not count.
    """

    types: Collection[str] = ("impression", "click")
    keep_days = 1

    def __init__(self, settings: Settings) -> None:
        clicks, clickers = _measures(settings)
        reach_ms = settings.ctr.attribution_window_seconds * 1000
        self._rules = MatchRules(clicks, clickers, CONTENT, reach_ms)
        self.name = clicks

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the content, and the id of a click: two clicks at one instant count twice."""
        if isinstance(event, Impression):
            return event.content_id, b""
        if isinstance(event, Click) and event.content_id is not None:
            return event.content_id, sid_digest(event.event_id)
        return None

    def index(self, registry: SegmentRegistry) -> Index:
        """Return an index by content."""
        return MatchedClicks(self._rules, registry, self.in_order)


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
