"""Events of the topic `clicks`: content shown and clicked, features used, events a product names."""

from typing import TypeAlias

from schemas.envelope import Amount, Envelope, Name, PageUrl, Url
from schemas.event_type import EventType


class Impression(Envelope, kw_only=True, gc=False, tag="impression"):
    """A piece of content was shown."""

    content_id: Name


class Click(Envelope, kw_only=True, gc=False, tag="click"):
    """A piece of content, or another part of a page, was clicked."""

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


ClicksEvent: TypeAlias = Impression | Click | Custom | FeatureUsed

TYPES = (
    EventType(Impression, "clicks", effect="impression"),
    EventType(Click, "clicks", effect="click", interactive=True),
    EventType(Custom, "clicks", interactive=True),
    EventType(FeatureUsed, "clicks", interactive=True),
)
