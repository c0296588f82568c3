"""Features: how many of the active people use each."""

from collections.abc import Collection, Sequence
from typing import Any

from stream import measures
from stream.facts import Contributions, Daily, Fact, distinct
from stream.knobs import Settings
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.shares import OfSite
from stream.metrics.terms import AtEnd
from stream.names import Names, Segment

FEATURE_USERS_28D = "feature_users_28d"


class Features(Daily):
    """On which days a person used which features: by feature_used, or by mapped custom events."""

    name = "feat"
    keep_days = 30

    def __init__(self, settings: Settings) -> None:
        self._of_custom = dict(settings.feature.map)
        custom = ("custom",) if self._of_custom else ()
        self.types: Collection[str] = ("feature_used", *custom)

    def fact(self, event: Any) -> Sequence[Any] | None:
        """The feature; None for a custom event that stands for none."""
        if event.__struct_config__.tag == "feature_used":
            return (event.feature,)
        feature = self._of_custom.get(event.name)
        return None if feature is None else (feature,)

    def contributions(self, facts: Sequence[Fact], names: Names) -> Contributions:
        """The person once for each feature in 28 days."""
        days: dict[Segment, set[int]] = {}
        for time_ms, profile_id, feature in facts:
            profile = names.by_id(profile_id)
            segment = names.side(profile.site, "feature", feature)
            days.setdefault(segment, set()).add(profile.calendar.day_of(time_ms))
        counts: Contributions = Contributions()
        for segment, theirs in days.items():
            distinct(counts, {28: FEATURE_USERS_28D}, segment, theirs)
        return counts


METRICS = (
    Metric(
        name="feature_usage_rate",
        help="Share of the monthly active people who used the feature.",
        unit="ratio",
        formula="distinct users of the feature in 28 days ÷ monthly active users",
        numerator=AtEnd(FEATURE_USERS_28D),
        denominator=OfSite(AtEnd(measures.ACTIVE_28D)),
        windows=("trailing_28d",),
        gauge="feature_usage_ratio",
        example=Example("28 of 100 people used it", 28, 100, 0.28),
        benchmark=Benchmark("0.28 is good", "product analytics guides"),
        knobs=("feature.map",),
        by=("feature",),
        plain=False,
    ),
)
