"""Headlines: the metrics that people look at first, and their values in the window before."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from schemas.outputs import WindowKind
from stream.counters.windows import span_at
from stream.metrics.metric import Metric
from stream.publish.merged_counts import MergedCounts
from stream.publish.reader import value_of
from stream.publish.snapshot import Gauge, gauge_span


class Headline(NamedTuple):
    """A metric with its title and its windows in order of preference."""

    metric: str
    title: str
    windows: tuple[WindowKind, ...]
    #: Direction in which the number gets worse.
    worse: Literal["up", "down"]
    #: Decimals of a ratio when it is written in percent.
    decimals: int = 1


#: In the order of the live page. A metric that the settings leave out is skipped.
HEADLINES = (
    Headline("live_visitors", "Live visitors", ("trailing_5m", "trailing_30m"), "down"),
    Headline("daily_active_users", "Daily active users", ("day",), "down"),
    Headline("weekly_active_users", "Weekly active users", ("trailing_7d", "week"), "down"),
    Headline(
        "monthly_active_users", "Monthly active users", ("trailing_28d", "trailing_30d", "month"),
        "down",
    ),
    Headline("click_through_rate", "Click-through rate", ("trailing_1h", "hour", "day"), "down"),
    Headline("bounce_rate", "Bounce rate", ("trailing_1h", "hour", "day"), "up"),
    Headline("churn_rate", "Churn rate", ("trailing_30d", "month"), "up", decimals=2),
)  # fmt: skip


def previous_gauges(
    merged: MergedCounts, metrics: Sequence[Metric], newest_ms: int, sites: Iterable[str]
) -> Iterator[Gauge]:
    """Yield the headlines of whole sites in the window before the one that their gauges show."""
    wanted = {headline.metric: headline.windows for headline in HEADLINES}
    for segment in [(site, "", "") for site in sites]:
        calendar, reader = merged.calendar(segment[0]), merged.reader(segment)
        for metric in metrics:
            for kind in wanted.get(metric.name, ()):
                if kind not in metric.windows:
                    continue
                now = gauge_span(merged, metric, reader, kind, newest_ms)
                before = span_at(kind, now.start_ms(calendar) - 1, calendar)
                value = value_of(metric, reader, before).value
                if value is not None:
                    yield Gauge(metric.name, kind, *segment, value)
