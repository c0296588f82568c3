"""Pages, engaged time and length of one session, recomputed from its page views and heartbeats."""

from collections.abc import Sequence

from tests.oracle.page_names import page_name
from tests.oracle.terms import Choices, EventDict


def page_of(event: EventDict, choices: Choices) -> str:
    """Return the page of the URL, cut to 256 characters; empty without a URL."""
    return whole_page_of(event, choices)[:256]


def whole_page_of(event: EventDict, choices: Choices) -> str:
    """Return the page of the URL in full; empty without a URL."""
    url = event.get("page_url")
    if not url:
        return ""
    return page_name(
        url,
        hosts=choices.page_hosts,
        query_keep=choices.page_queries,
        hash_routes=choices.page_routes,
    )


def of_type(run: Sequence[EventDict], kind: str) -> list[EventDict]:
    return [event for event in run if event["type"] == kind]


def view_id(event: EventDict) -> tuple[str, str]:
    """Return the page view of a view or heartbeat; a view without an id has its own."""
    if named := event.get("page_view_id"):
        return "id", named
    return (
        ("view", event["event_id"]) if event["type"] == "page_view" else ("of", event["page_url"])
    )


def views_of(run: Sequence[EventDict], choices: Choices) -> int:
    """Page views; "page_view_ids": distinct ids "among page_view and heartbeat events"."""
    views = of_type(run, "page_view")
    if choices.pages_counted != "page_view_ids":
        return len(views)
    return len({view_id(event) for event in views + of_type(run, "heartbeat")})


def counted_pages(run: Sequence[EventDict], interactions: int, choices: Choices) -> int:
    """metrics.md: "count: page_views | unique_pages | actions", of sessions with a page view."""
    views = of_type(run, "page_view")
    if choices.pages_counted == "unique_pages":
        return len({page_of(event, choices) for event in views})
    if choices.pages_counted == "actions":
        return len(views) + interactions if views else 0
    return views_of(run, choices)


def engaged_ms(run: Sequence[EventDict], page: str, choices: Choices) -> int:
    """Return the engaged time of a page; a heartbeat without one counts `heartbeat_seconds`.

    Snowplow: "10 s × (distinct (page view, 10 s slot) − page views) + 5 s × page views", of page
    views with a heartbeat.
    """
    beats = [event for event in of_type(run, "heartbeat") if page_of(event, choices) == page]
    silent = choices.heartbeat_seconds * 1000
    # "a single heartbeat stands for at most the session timeout"
    most = choices.timeout_ms
    if not choices.pings:
        return sum(min(event.get("engaged_ms", silent), most) for event in beats)
    slots = {(view_id(event), event["ms"] // silent) for event in beats}
    views = {view_id(event) for event in beats}
    least = min(choices.least_seconds * 1000, most)
    return min(silent, most) * (len(slots) - len(views)) + least * len(views)


def lasting_ms(run: Sequence[EventDict], choices: Choices) -> int:
    """Return the length of a session: elapsed or engaged, in ms or whole seconds, at most the cap."""
    beats = of_type(run, "heartbeat")
    if choices.lasts_engaged:
        pages = {page_of(event, choices) for event in beats}
        lasts = sum(engaged_ms(run, page, choices) for page in pages)
    else:
        times = [event["ms"] for event in run]
        if choices.without_beats:
            # Plausible: "the time between the first and the last event", pings apart.
            times = [event["ms"] for event in run if event["type"] != "heartbeat"] or [0]
        unit = 1000 if choices.whole_seconds else 1
        lasts = (max(times) // unit - min(times) // unit) * unit
        views = [event["ms"] for event in of_type(run, "page_view")]
        first = min((event["ms"] for event in beats), default=None)
        # "+ 5 s when the session's first page event is a heartbeat"
        if (
            choices.pings
            and not choices.without_beats
            and first is not None
            and (not views or first < min(views))
        ):
            lasts += min(choices.least_seconds * 1000, choices.timeout_ms)
    return min(lasts, choices.cap_seconds * 1000) if choices.cap_seconds else lasts
