"""What one visit's page views and heartbeats amount to, by the knobs, from its events side by side."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from tests.oracle.terms import EventDict, Knobs


def page_of(event: EventDict, knobs: Knobs) -> str:
    """The path of the URL: no query, no fragment, no slash at the end; no page: nothing."""
    url = event.get("page_url")
    if not url:
        return ""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if parts.netloc:
        return (parts.netloc.lower() if knobs.page_hosts else "") + (path or "/")
    return path or "/"


def of_type(run: Sequence[EventDict], kind: str) -> list[EventDict]:
    return [event for event in run if event["type"] == kind]


def view_id(event: EventDict) -> tuple[str, str]:
    """The page view that a view or a heartbeat belongs to; without an id a view is one of its own."""
    if named := event.get("page_view_id"):
        return "id", named
    return (
        ("view", event["event_id"]) if event["type"] == "page_view" else ("of", event["page_url"])
    )


def views_of(run: Sequence[EventDict], knobs: Knobs) -> int:
    """Page views; "page_view_ids": distinct ids "among page_view and heartbeat events"."""
    views = of_type(run, "page_view")
    if knobs.pages_counted != "page_view_ids":
        return len(views)
    return len({view_id(event) for event in views + of_type(run, "heartbeat")})


def counted_pages(run: Sequence[EventDict], interactions: int, knobs: Knobs) -> int:
    """metrics.md: "count: page_views | unique_pages | actions", of visits with a page view."""
    views = of_type(run, "page_view")
    if knobs.pages_counted == "unique_pages":
        return len({page_of(event, knobs) for event in views})
    if knobs.pages_counted == "actions":
        return len(views) + interactions if views else 0
    return views_of(run, knobs)


def engaged_ms(run: Sequence[EventDict], page: str, knobs: Knobs) -> int:
    """What the heartbeats of a page say; one that says nothing stands for some seconds.

    Snowplow: "10 s × (distinct (page view, 10 s slot) − page views) + 5 s × page views", of those
    with a heartbeat.
    """
    beats = [event for event in of_type(run, "heartbeat") if page_of(event, knobs) == page]
    silent = knobs.heartbeat_seconds * 1000
    if not knobs.pings:
        return sum(event.get("engaged_ms", silent) for event in beats)
    slots = {(view_id(event), event["ms"] // silent) for event in beats}
    views = {view_id(event) for event in beats}
    return silent * (len(slots) - len(views)) + knobs.least_seconds * 1000 * len(views)


def lasting_ms(run: Sequence[EventDict], knobs: Knobs) -> int:
    """How long a visit lasts: elapsed or engaged, in whole seconds or not, at most so long."""
    beats = of_type(run, "heartbeat")
    if knobs.lasts_engaged:
        pages = {page_of(event, knobs) for event in beats}
        lasts = sum(engaged_ms(run, page, knobs) for page in pages)
    else:
        times = [event["ms"] for event in run]
        unit = 1000 if knobs.whole_seconds else 1
        lasts = (max(times) // unit - min(times) // unit) * unit
        views = [event["ms"] for event in of_type(run, "page_view")]
        first = min((event["ms"] for event in beats), default=None)
        # "+ 5 s when the session's first page event is a heartbeat"
        if knobs.pings and first is not None and (not views or first < min(views)):
            lasts += knobs.least_seconds * 1000
    return min(lasts, knobs.cap_seconds * 1000) if knobs.cap_seconds else lasts
