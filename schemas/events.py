"""Every event that may come in: one struct a type, grouped by the topic that carries it."""

from typing import TypeAlias, get_args

from schemas.envelope import (
    Amount,
    Author,
    Count,
    Currency,
    Direction,
    Envelope,
    Id,
    Milliseconds,
    Mrr,
    Name,
    PageUrl,
    Percent,
    Price,
    Score,
    SocialKind,
    Survey,
    Text,
    Time,
    Url,
)  # fmt: skip


# page-views
class PageView(Envelope, kw_only=True, gc=False, tag="page_view"):
    """A page or a screen was shown; without page_url it counts, but for no page."""

    page_url: PageUrl | None = None
    page_title: Text | None = None
    referrer: Url | None = None
    page_view_id: Id | None = None


class Heartbeat(Envelope, kw_only=True, gc=False, tag="heartbeat"):
    """A page is still in front of the person."""

    page_url: PageUrl
    engaged_ms: Milliseconds | None = None
    scroll_depth: Percent | None = None
    page_view_id: Id | None = None


# clicks
class Impression(Envelope, kw_only=True, gc=False, tag="impression"):
    """A piece of content was shown."""

    content_id: Name


class Click(Envelope, kw_only=True, gc=False, tag="click"):
    """A piece of content, or something else on a page, was clicked."""

    content_id: Name | None = None
    page_url: PageUrl | None = None
    target_url: Url | None = None


class Custom(Envelope, kw_only=True, gc=False, tag="custom"):
    """An event that the product names itself."""

    name: Name
    interactive: bool = True
    value: Amount | None = None


class FeatureUsed(Envelope, kw_only=True, gc=False, tag="feature_used"):
    """A feature of the product was used."""

    feature: Name


# sessions
class SessionStart(Envelope, kw_only=True, gc=False, tag="session_start"):
    """A session began."""


class SessionEnd(Envelope, kw_only=True, gc=False, tag="session_end"):
    """A session was ended by the person."""


# subscriptions
class SubscriptionStarted(Envelope, kw_only=True, gc=False, tag="subscription_started"):
    """A subscription began; `mrr` is its price per month."""

    subscription_id: Name
    mrr: Mrr
    plan: Name | None = None
    currency: Currency | None = None
    trial: bool = False


class SubscriptionChanged(Envelope, kw_only=True, gc=False, tag="subscription_changed"):
    """A subscription has a new price or plan from now on."""

    subscription_id: Name
    mrr: Mrr
    plan: Name | None = None


class SubscriptionRenewed(Envelope, kw_only=True, gc=False, tag="subscription_renewed"):
    """A subscription was paid for another period."""

    subscription_id: Name | None = None


class SubscriptionCancelled(Envelope, kw_only=True, gc=False, tag="subscription_cancelled"):
    """A subscription will end at `effective_at`, or now."""

    subscription_id: Name
    effective_at: Time | None = None
    reason: Text | None = None


class SubscriptionEnded(Envelope, kw_only=True, gc=False, tag="subscription_ended"):
    """A subscription has ended."""

    subscription_id: Name
    reason: Text | None = None


# orders
class AddToCart(Envelope, kw_only=True, gc=False, tag="add_to_cart"):
    """Something was put in the cart."""

    cart_id: Name | None = None
    revenue: Price | None = None


class RemoveFromCart(Envelope, kw_only=True, gc=False, tag="remove_from_cart"):
    """Something was taken out of the cart."""

    cart_id: Name | None = None
    revenue: Price | None = None


class CheckoutStarted(Envelope, kw_only=True, gc=False, tag="checkout_started"):
    """The checkout was opened."""

    cart_id: Name | None = None
    revenue: Price | None = None


class Order(Envelope, kw_only=True, gc=False, tag="order"):
    """An order was placed; without revenue it counts as an order and adds no money."""

    order_id: Name
    revenue: Price | None = None
    currency: Currency | None = None
    cart_id: Name | None = None
    quantity: Count | None = None


class Refund(Envelope, kw_only=True, gc=False, tag="refund"):
    """Money of an order was given back."""

    order_id: Name
    revenue: Price


class Goal(Envelope, kw_only=True, gc=False, tag="goal"):
    """A goal that the product names was reached."""

    name: Name
    value: Amount | None = None


# feedback
class SurveyResponse(Envelope, kw_only=True, gc=False, tag="survey_response"):
    """A survey was answered."""

    survey: Survey
    score: Score
    scale_max: Score | None = None
    response_id: Name | None = None

    def __post_init__(self) -> None:
        """What the decoder cannot say of a single field. Raises ValueError."""
        first = 1 if self.survey in ("csat", "ces") else 0
        last = 10 if self.survey == "nps" else self.scale_max
        if self.score < first or (last is not None and self.score > last):
            raise ValueError(
                f"Invalid value {self.score:g} - at `$.score`: {self.survey} is answered from "
                f"{first}" + ("" if last is None else f" to {last:g}")
            )


class SurveyDismissed(Envelope, kw_only=True, gc=False, tag="survey_dismissed"):
    """A survey was shown and closed without an answer."""

    survey: Survey | None = None


class TicketOpened(Envelope, kw_only=True, gc=False, tag="ticket_opened"):
    """A customer asked for help."""

    ticket_id: Name
    direction: Direction | None = None
    author: Author | None = None


class TicketMessage(Envelope, kw_only=True, gc=False, tag="ticket_message"):
    """A message went to or came from a customer."""

    ticket_id: Name
    direction: Direction
    author: Author | None = None


class TicketResolved(Envelope, kw_only=True, gc=False, tag="ticket_resolved"):
    """A ticket was resolved."""

    ticket_id: Name


class TicketReopened(Envelope, kw_only=True, gc=False, tag="ticket_reopened"):
    """A resolved ticket was opened again."""

    ticket_id: Name


# social
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
    """An account, the visitor, has `count` followers on a network from now on."""

    network: Name | None = None
    count: Count


class MarketingSpend(Envelope, kw_only=True, gc=False, tag="marketing_spend"):
    """Money was spent on a channel."""

    channel: Name
    amount: Price
    campaign: Name | None = None


Event: TypeAlias = (
    PageView | Heartbeat
    | Impression | Click | Custom | FeatureUsed
    | SessionStart | SessionEnd
    | SubscriptionStarted | SubscriptionChanged | SubscriptionRenewed
    | SubscriptionCancelled | SubscriptionEnded
    | AddToCart | RemoveFromCart | CheckoutStarted | Order | Refund | Goal
    | SurveyResponse | SurveyDismissed
    | TicketOpened | TicketMessage | TicketResolved | TicketReopened
    | SocialImpression | SocialEngagement | SocialReach | SocialFollowers | MarketingSpend
)  # fmt: skip

EVENT_TYPES: dict[str, type[Envelope]] = {
    str(struct.__struct_config__.tag): struct for struct in get_args(Event)
}

# The types that are about no one person: bought reach, and reach that somebody else counted.
PERSONLESS: tuple[type[Envelope], ...] = (
    SocialImpression, SocialEngagement, SocialReach, MarketingSpend,
)  # fmt: skip
# The types that are about an account, which nobody has to be there for.
OF_ACCOUNTS: tuple[type[Envelope], ...] = (SocialFollowers,)
