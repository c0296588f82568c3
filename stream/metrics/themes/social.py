"""Social: how often posts were shown and answered, and what was paid to be seen."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from schemas.events.social import MarketingSpend, SocialEngagement, SocialImpression, SocialReach
from stream.counters.measures import MICROS
from stream.metrics.counted_by import PERSON, CountedBy
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import Level, Term, Total
from stream.metrics.theme import Theme
from stream.metrics.themes.followers import FOLLOWERS, Followers
from stream.settings.application import Settings
from stream.settings.customers import Kind

SHOWN, REACHED = "social_impressions", "social_reach"
#: Reactions, and what they weigh where they do not all weigh the same.
ENGAGED, ENGAGED_MICROS = "social_engagements", "social_engagements_micros"
SPEND_MICROS = "marketing_spend_micros"
COUNTED_BY: CountedBy = {
    SHOWN: (),
    REACHED: (),
    ENGAGED: ("social.engagement_kinds",),
    ENGAGED_MICROS: ("social.engagement_kinds", "social.weights"),
    SPEND_MICROS: (),
    FOLLOWERS: PERSON,
}


class Posts:
    """What posts on social networks count, by post and by network.

    A reaction of a kind that the settings leave out counts nowhere; one without a kind counts.
    """

    types: Collection[str] = ("social_impression", "social_engagement", "social_reach")

    def __init__(self, settings: Settings) -> None:
        self._kinds = {None, *settings.social.engagement_kinds}
        self._micros: dict[str | None, int] = {
            kind: round(weight * MICROS) for kind, weight in settings.social.weights.items()
        }

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """How often it was shown, whom it reached, or how many reacted."""
        if isinstance(event, SocialImpression):
            yield SHOWN, event.count
        elif isinstance(event, SocialReach):
            yield REACHED, event.count
        elif isinstance(event, SocialEngagement) and event.kind in self._kinds:
            yield ENGAGED, event.count
            if self._micros:
                yield ENGAGED_MICROS, event.count * self._micros.get(event.kind, MICROS)

    def own_segments(self, event: Any) -> Iterable[tuple[str, str]]:
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

    def own_segments(self, event: Any) -> Iterable[tuple[str, str]]:
        """The dimensions of customers that the spending names, where its context does not."""
        context = event.context or {}
        for dimension in ("channel", "campaign"):
            value = getattr(event, dimension)
            if value and dimension in self._dimensions and not context.get(dimension):
                yield dimension, value


def aggregates(settings: Settings) -> tuple[Followers, ...]:
    """What is kept of accounts, where it is asked for."""
    return (Followers(),) if settings.social.denominator == "followers" else ()


def metrics(settings: Settings) -> Iterator[Metric]:
    """Engagement of posts, and the spending."""
    yield _engagement(settings)
    yield Metric(
        name="marketing_spend",
        help="Money spent on marketing in the window.",
        unit="currency",
        formula="sum of marketing_spend amounts",
        numerator=Total(SPEND_MICROS, scale=1e-6),
        windows=("day", "trailing_28d", "month"),
        gauge="marketing_spend",
        example=Example("500 for search, 250 for a podcast", 750, None, 750),
    )


def _engagement(settings: Settings) -> Metric:
    """Reactions, weighed where the settings do so, for what they choose to be its measure."""
    social = settings.social
    kinds = ", ".join(_weighed(kind, social.weights) for kind in social.engagement_kinds)
    denominator, whom, of = _OF[social.denominator]
    is_level = social.denominator == "followers"
    reactions = "weighed engagements" if social.weights else "engagements"
    return Metric(
        name="social_engagement_rate",
        help=f"Reactions to posts ({kinds or 'none'}) per {whom}.",
        unit="ratio",
        formula=f"{reactions} ÷ {of}",
        numerator=Total(ENGAGED_MICROS, scale=1e-6) if social.weights else Total(ENGAGED),
        denominator=denominator,
        windows=("day", "trailing_7d"),
        gauge="social_engagement_ratio",
        example=Example("750 of 10,000", 750, 10_000, 0.075),
        chosen_by=("social.denominator", "social.weights"),
        benchmark=_RATE if social.denominator == "impressions" and not social.weights else None,
        # Nobody follows a single post.
        by=("network",) if is_level else ("post", "network"),
        level=is_level,
    )


def _weighed(kind: Kind, weights: Mapping[Kind, float]) -> str:
    weight = weights.get(kind, 1)
    return kind if weight == 1 else f"{kind} × {weight:g}"


#: What reactions are divided by: the number, each one of it, and all.
_OF: Mapping[str, tuple[Term, str, str]] = {
    "impressions": (Total(SHOWN), "time that they were shown", "impressions of posts"),
    "reach": (Total(REACHED), "person whom they reached", "people reached by posts"),
    "followers": (
        Level(FOLLOWERS), "follower at the end of the window",
        "followers of all accounts at the end of the window",
    ),
}  # fmt: skip
_RATE = Benchmark("0.01 to 0.05", "social media surveys")


THEME = Theme(
    title="Social",
    text="How often posts are shown and answered, and what is paid to be seen.",
    metrics=metrics,
    aggregates=aggregates,
    event_counters=lambda settings: (Posts(settings), Spend(settings)),
    counted_by=COUNTED_BY,
)
