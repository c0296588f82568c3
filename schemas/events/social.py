"""Events of the topic `social`: posts and accounts on social networks, and the cost of marketing."""

from typing import TypeAlias

from schemas.envelope import Count, Envelope, Name, Price, SocialKind
from schemas.event_type import EventType


class SocialImpression(Envelope, kw_only=True, gc=False, tag="social_impression"):
    """A post was shown, `count` times."""

    post_id: Name
    network: Name | None = None
    kind: SocialKind | None = None
    count: Count = 1


class SocialEngagement(Envelope, kw_only=True, gc=False, tag="social_engagement"):
    """People engaged with a post, `count` times."""

    post_id: Name
    network: Name | None = None
    kind: SocialKind | None = None
    count: Count = 1


class SocialReach(Envelope, kw_only=True, gc=False, tag="social_reach"):
    """A post reached `count` more people, as the network counts them."""

    post_id: Name
    network: Name | None = None
    count: Count = 1


class SocialFollowers(Envelope, kw_only=True, gc=False, tag="social_followers"):
    """An account (`visitor_id`) has `count` followers on a network from now on."""

    network: Name | None = None
    count: Count


class MarketingSpend(Envelope, kw_only=True, gc=False, tag="marketing_spend"):
    """Money was spent on a channel."""

    channel: Name
    amount: Price
    campaign: Name | None = None


SocialEvent: TypeAlias = (
    SocialImpression | SocialEngagement | SocialReach | SocialFollowers | MarketingSpend
)

TYPES = (
    EventType(SocialImpression, "social", in_session=False, has_person=False),
    EventType(SocialEngagement, "social", in_session=False, has_person=False),
    EventType(SocialReach, "social", in_session=False, has_person=False),
    EventType(SocialFollowers, "social", in_session=False, of_account=True),
    EventType(MarketingSpend, "social", in_session=False, has_person=False, passive=True),
)
