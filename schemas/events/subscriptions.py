"""Events of the topic `subscriptions`: the life of a subscription."""

from typing import TypeAlias

from schemas.envelope import Currency, Envelope, Mrr, Name, Text, Time
from schemas.event_type import EventType


class SubscriptionStarted(Envelope, kw_only=True, gc=False, tag="subscription_started"):
    """A subscription began; `mrr` is its price per month."""

    subscription_id: Name
    mrr: Mrr
    plan: Name | None = None
    currency: Currency | None = None
    trial: bool = False


class SubscriptionChanged(Envelope, kw_only=True, gc=False, tag="subscription_changed"):
    """A subscription has a new price or plan from now on; `trial` false ends a trial, true begins one."""

    subscription_id: Name
    mrr: Mrr
    plan: Name | None = None
    trial: bool | None = None


class SubscriptionRenewed(Envelope, kw_only=True, gc=False, tag="subscription_renewed"):
    """A subscription was paid for another period; `mrr` is its price per month, if it is known."""

    subscription_id: Name | None = None
    mrr: Mrr | None = None


class SubscriptionCancelled(Envelope, kw_only=True, gc=False, tag="subscription_cancelled"):
    """A subscription will end at `effective_at`, or now."""

    subscription_id: Name
    effective_at: Time | None = None
    reason: Text | None = None


class SubscriptionEnded(Envelope, kw_only=True, gc=False, tag="subscription_ended"):
    """A subscription has ended."""

    subscription_id: Name
    reason: Text | None = None


SubscriptionsEvent: TypeAlias = (
    SubscriptionStarted
    | SubscriptionChanged
    | SubscriptionRenewed
    | SubscriptionCancelled
    | SubscriptionEnded
)

TYPES = (
    EventType(SubscriptionStarted, "subscriptions", effect="subscription", in_session=False),
    EventType(SubscriptionChanged, "subscriptions", effect="subscription", in_session=False),
    EventType(
        SubscriptionRenewed, "subscriptions", effect="subscription", in_session=False, passive=True
    ),
    EventType(SubscriptionCancelled, "subscriptions", effect="subscription", in_session=False),
    EventType(
        SubscriptionEnded, "subscriptions", effect="subscription", in_session=False, passive=True
    ),
)
