"""Metrics of features: the share of people who use each."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from stream.counters import measures
from stream.counters.segments import Group, SegmentRegistry
from stream.counters.windows import ROLLING_DAYS
from stream.history.aggregates.daily import Daily
from stream.history.distinct_days import DayWindows
from stream.history.events import HistoryEntry
from stream.metrics.counted_by import PERSON, CountedBy
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.own import people
from stream.metrics.shares import OfSite
from stream.metrics.terms import AtEnd, Level, Term
from stream.metrics.theme import Theme
from stream.settings.application import Settings


def users(days: int) -> str:
    """Name the measure of users of a feature in `days` days, counted on the last of them."""
    return f"feature_users_{days}d"


#: The length of the window is in the name of the measure.
COUNTED_BY: CountedBy = {"feature_users_*": ("feature.map", *PERSON)}


class Features(Daily):
    """Aggregate of the days on which a person used each feature, by feature_used or mapped custom events."""

    name = "feat"
    keep_days = 32

    def __init__(self, settings: Settings) -> None:
        lengths = sorted({1, settings.feature.window_days})
        self._windows = DayWindows([(length, users(length)) for length in lengths])
        self._of_custom = dict(settings.feature.map)
        custom = ("custom",) if self._of_custom else ()
        self.types: Collection[str] = ("feature_used", *custom)

    def entry(self, event: Any) -> Sequence[Any] | None:
        """Keep the feature; nothing for a custom event without one."""
        if event.__struct_config__.tag == "feature_used":
            return (event.feature,)
        feature = self._of_custom.get(event.name)
        return None if feature is None else (feature,)

    def groups(self, entry: HistoryEntry, registry: SegmentRegistry) -> tuple[Group, ...]:
        """Return the segment of the feature."""
        return (registry.own_segment(registry.by_id(entry[1]).site, "feature", entry[2]),)

    def windows(self, group: Group) -> DayWindows:  # noqa: ARG002
        """Return a day, and the window of the settings."""
        return self._windows


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield the share of people who use a feature."""
    eligible = people(settings, settings.feature.eligible)
    days, by = settings.feature.window_days, settings.feature.denominator
    whom = "monthly active people" if days == 28 else f"people active in {days} days"
    of = "monthly active users" if days == 28 else whom
    base: Term = AtEnd(measures.active_in(days))
    if by == "all_known":
        whom = of = "people known at the end of the window"
        base = Level(measures.KNOWN)
    elif by == "eligible" and eligible is not None:
        whom = of = f"people of the measure {settings.feature.eligible} in {days} days"
        base = eligible
    yield Metric(
        name="feature_usage_rate",
        help=f"Share of the {whom} who used the feature.",
        unit="ratio",
        formula=f"distinct users of the feature in {days} days ÷ {of}",
        numerator=AtEnd(users(days)),
        denominator=OfSite(base),
        windows=(ROLLING_DAYS[days],),
        gauge="feature_usage_ratio",
        example=Example("28 of 100 people used it", 28, 100, 0.28),
        chosen_by=("feature.window_days", "feature.denominator", "feature.eligible"),
        benchmark=Benchmark("0.28 is good", "product analytics guides") if by == "active" else None,
        by=("feature",),
        plain=False,
        level=by == "all_known",
    )


THEME = Theme(
    title="Features",
    text="How many people use each feature.",
    metrics=metrics,
    aggregates=lambda settings: (Features(settings),),
    counted_by=COUNTED_BY,
)
