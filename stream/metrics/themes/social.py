"""Metrics of social networks and marketing: reactions to posts, and money spent."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from schemas.events.social import MarketingSpend, SocialEngagement, SocialImpression, SocialReach
from stream.counters.measures import MICROS
from stream.metrics.counted_by import PERSON, CountedBy
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import Level, Per, Term, Total
from stream.metrics.theme import Theme
from stream.metrics.themes.followers import FOLLOWERS, Followers
from stream.settings.application import Settings
from stream.settings.customers import Kind

SHOWN, REACHED = "social_impressions", "social_reach"
#: Reactions, and their weights if the settings weigh them.
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
    """Event counter of posts on social networks, by post and by network.

    A reaction of a kind that the settings leave out does not count; one without a kind counts.
    """

    types: Collection[str] = ("social_impression", "social_engagement", "social_reach")

    def __init__(self, settings: Settings) -> None:
        self._kinds = {None, *settings.social.engagement_kinds}
        self._micros: dict[str | None, int] = {
            kind: round(weight * MICROS) for kind, weight in settings.social.weights.items()
        }

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """Yield impressions, people reached, or reactions."""
        if isinstance(event, SocialImpression):
            yield SHOWN, event.count
        elif isinstance(event, SocialReach):
            yield REACHED, event.count
        elif isinstance(event, SocialEngagement) and event.kind in self._kinds:
            yield ENGAGED, event.count
            if self._micros:
                yield ENGAGED_MICROS, event.count * self._micros.get(event.kind, MICROS)

    def own_segments(self, event: Any) -> Iterable[tuple[str, str]]:
        """Yield its post and its network."""
        yield "post", event.post_id
        if event.network is not None:
            yield "network", event.network


class Spend:
    """Event counter of marketing spend. It takes channel and campaign from fields of the event too."""

    types: Collection[str] = ("marketing_spend",)

    def __init__(self, settings: Settings) -> None:
        self._dimensions = settings.dimensions

    def counts(self, event: Any) -> Iterable[tuple[str, int]]:
        """Yield the amount in millionths."""
        if isinstance(event, MarketingSpend):
            yield SPEND_MICROS, round(event.amount * MICROS)

    def own_segments(self, event: Any) -> Iterable[tuple[str, str]]:
        """Yield channel and campaign of the event, if they are dimensions that its context lacks."""
        context = event.context or {}
        for dimension in ("channel", "campaign"):
            value = getattr(event, dimension)
            if value and dimension in self._dimensions and not context.get(dimension):
                yield dimension, value


def aggregates(settings: Settings) -> tuple[Followers, ...]:
    """Return what is kept of accounts, if the settings divide by followers."""
    return (Followers(),) if settings.social.denominator == "followers" else ()


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield the engagement of posts and the marketing spend."""
    yield _engagement(settings)
    yield Metric(
        name="marketing_spend",
        help="Money spent on marketing in the window.",
        unit="currency",
        formula="sum of marketing_spend amounts",
        numerator=Per(Total(SPEND_MICROS), MICROS),
        windows=("day", "trailing_28d", "month"),
        gauge="marketing_spend",
        example=Example("500 for search, 250 for a podcast", 750, None, 750),
    )


def _engagement(settings: Settings) -> Metric:
    """Weighted reactions divided by the configured denominator."""
    social = settings.social
    kinds = ", ".join(_weighted(kind, social.weights) for kind in social.engagement_kinds)
    denominator, one, every = _OF[social.denominator]
    is_level = social.denominator == "followers"
    reactions = "weighted engagements" if social.weights else "engagements"
    return Metric(
        name="social_engagement_rate",
        help=f"Reactions to posts ({kinds or 'none'}) per {one}.",
        unit="ratio",
        formula=f"{reactions} ÷ {every}",
        numerator=Per(Total(ENGAGED_MICROS), MICROS) if social.weights else Total(ENGAGED),
        denominator=denominator,
        windows=("day", "trailing_7d"),
        gauge="social_engagement_ratio",
        example=Example("750 of 10,000", 750, 10_000, 0.075),
        chosen_by=("social.denominator", "social.weights"),
        benchmark=_RATE if social.denominator == "impressions" and not social.weights else None,
        # A single post has no followers.
        by=("network",) if is_level else ("post", "network"),
        level=is_level,
    )


def _weighted(kind: Kind, weights: Mapping[Kind, float]) -> str:
    weight = weights.get(kind, 1)
    return kind if weight == 1 else f"{kind} × {weight:g}"


#: Setting → denominator, words for one of it, and words for all.
_OF: Mapping[str, tuple[Term, str, str]] = {
    "impressions": (Total(SHOWN), "impression", "impressions of posts"),
    "reach": (Total(REACHED), "person reached", "people reached by posts"),
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
