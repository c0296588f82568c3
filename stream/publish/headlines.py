"""The numbers that people look at first, and what each of them was in the period before."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.outputs import WindowKind
from stream.counters.windows import span_at
from stream.metrics.metric import Metric
from stream.publish.merged_counts import MergedCounts
from stream.publish.reader import value_of
from stream.publish.snapshot import Gauge, gauge_span


class Headline(NamedTuple):
    """A metric, its title, and its windows, the one that is wanted most first."""

    metric: str
    title: str
    windows: tuple[WindowKind, ...]


#: Those that the catalogue does not have are left out.
HEADLINES = (
    Headline("live_visitors", "Live visitors", ("trailing_5m", "trailing_30m")),
    Headline("daily_active_users", "Daily active users", ("day",)),
    Headline("weekly_active_users", "Weekly active users", ("trailing_7d", "week")),
    Headline(
        "monthly_active_users", "Monthly active users", ("trailing_28d", "trailing_30d", "month")
    ),
    Headline("click_through_rate", "Click-through rate", ("trailing_1h", "hour", "day")),
    Headline("bounce_rate", "Bounce rate", ("trailing_1h", "hour", "day")),
    Headline("churn_rate", "Churn rate", ("trailing_30d", "month")),
)


def previous_gauges(
    merged: MergedCounts, metrics: Sequence[Metric], newest_ms: int
) -> Iterator[Gauge]:
    """The headlines of whole sites in the window that ended where the one shown begins."""
    wanted = {headline.metric: headline.windows for headline in HEADLINES}
    for segment in [segment for segment in merged.segments if not segment[1]]:
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
