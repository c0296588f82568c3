"""Event types by name: the rows beside the structs of one module for each topic."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from schemas.envelope import Envelope
from schemas.event_type import EventType
from schemas.events import clicks, feedback, orders, page_views, sessions, social, subscriptions

Event: TypeAlias = (
    page_views.PageViewsEvent
    | clicks.ClicksEvent
    | sessions.SessionsEvent
    | subscriptions.SubscriptionsEvent
    | orders.OrdersEvent
    | feedback.FeedbackEvent
    | social.SocialEvent
)

_ROWS: Final = (
    *page_views.TYPES,
    *clicks.TYPES,
    *sessions.TYPES,
    *subscriptions.TYPES,
    *orders.TYPES,
    *feedback.TYPES,
    *social.TYPES,
)

EVENT_TYPES: Final[Mapping[str, EventType]] = MappingProxyType({row.name: row for row in _ROWS})

#: Structs of the types without a person. A tuple: the codec looks into it.
PERSONLESS: Final[tuple[type[Envelope], ...]] = tuple(
    row.struct for row in _ROWS if not row.has_person
)
