"""Events of the topic `page-views`: views of pages and screens, and heartbeats while one is in view."""

from typing import TypeAlias

from schemas.envelope import Envelope, Id, Milliseconds, PageUrl, Percent, Text, Url
from schemas.event_type import EventType


class PageView(Envelope, kw_only=True, gc=False, tag="page_view"):
    """A page or a screen was shown. Without page_url the view counts for no page."""

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


PageViewsEvent: TypeAlias = PageView | Heartbeat

TYPES = (
    EventType(PageView, "page-views", effect="page_view"),
    EventType(Heartbeat, "page-views", effect="page_ping", passive=True),
)
