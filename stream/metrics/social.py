"""Social: how often posts were shown and answered, and what was paid to be seen."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from schemas.events import MarketingSpend, SocialEngagement, SocialImpression
from stream.knobs import Settings
from stream.measures import MICROS
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import Total

SHOWN, ENGAGED = "social_impressions", "social_engagements"
SPEND_MICROS = "marketing_spend_micros"


class Posts:
    """What posts on social networks count, by post and by network.

    A reaction of a kind that the settings leave out counts nowhere; one without a kind counts.
    """

    types: Collection[str] = ("social_impression", "social_engagement")

    def __init__(self, settings: Settings) -> None:
        self._kinds = {None, *settings.social.engagement_kinds}

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """How often it was shown, or how many reacted."""
        if isinstance(event, SocialImpression):
            yield SHOWN, event.count
        elif isinstance(event, SocialEngagement) and event.kind in self._kinds:
            yield ENGAGED, event.count

    def sides(self, event: Any) -> Iterable[tuple[str, str]]:
        """Its post and its network."""
        yield "post", event.post_id
        if event.network is not None:
            yield "network", event.network


class Spend:
    """What marketing costs. The channel and the campaign of the event itself hold, if it says them."""

    types: Collection[str] = ("marketing_spend",)

    def __init__(self, settings: Settings) -> None:
        self._dimensions = settings.dimensions

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """The money."""
        if isinstance(event, MarketingSpend):
            yield SPEND_MICROS, round(event.amount * MICROS)

    def sides(self, event: Any) -> Iterable[tuple[str, str]]:
        """The dimensions of customers that the spending names, where its context does not."""
        context = event.context or {}
        for dimension in ("channel", "campaign"):
            value = getattr(event, dimension)
            if value and dimension in self._dimensions and not context.get(dimension):
                yield dimension, value


def metrics(settings: Settings) -> Iterator[Metric]:
    """Engagement of posts, and the spending."""
    kinds = settings.social.engagement_kinds
    yield Metric(
        name="social_engagement_rate",
        help=f"Reactions to posts ({', '.join(kinds) or 'none'}) per time that they were shown.",
        unit="ratio",
        formula="engagements ÷ impressions of posts",
        numerator=Total(ENGAGED),
        denominator=Total(SHOWN),
        windows=("day", "trailing_7d"),
        gauge="social_engagement_ratio",
        example=Example("750 of 10,000", 750, 10_000, 0.075),
        benchmark=Benchmark("0.01 to 0.05", "social media surveys"),
        knobs=("social.engagement_kinds",),
        by=("post", "network"),
    )
    yield Metric(
        name="marketing_spend",
        help="Money spent on marketing in the window.",
        unit="currency",
        formula="sum of marketing_spend amounts",
        numerator=Total(SPEND_MICROS, scale=1e-6),
        windows=("day", "trailing_28d", "month"),
        gauge="marketing_spend",
        example=Example("500 for search, 250 for a podcast", 750, None, 750),
        knobs=("currency",),
    )
