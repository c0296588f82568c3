"""Settings of pages and clicks: page names, time on pages, scrolling, exits, click-through."""

from typing import Annotated, Literal

from msgspec import Meta

from stream.settings.table import AtLeastOne, Help, NotNegative, Table


class PageSettings(Table, frozen=True, kw_only=True):
    """Pages: what is one page, and what counts in pages per session."""

    count: Annotated[
        Literal["page_views", "unique_pages", "page_view_ids", "actions"],
        Help(
            "What pages_per_session counts.",
            {
                "page_views": "page views",
                "unique_pages": "different pages; keeps each page view of a session",
                "page_view_ids": "different page_view_id of page views and heartbeats, also for "
                "bounces; keeps each of them",
                "actions": "page views and interactive events",
            },
        ),
    ] = "page_views"
    values_max: Annotated[
        AtLeastOne,
        Help(
            "Pages counted one by one on each site; further ones count together as `other`.",
            why="Each page costs about ten counters.",
        ),
    ] = 200
    hosts: Annotated[
        bool,
        Help(
            "Whether the host is part of a page.",
            {"true": "the same path on two hosts is two pages", "false": "a page is a path"},
        ),
    ] = False
    query_keep: Annotated[
        tuple[str, ...],
        Help(
            "Keys of the query that are part of a page. All other keys are left out.",
            example='query_keep = ["p"]',
        ),
    ] = ()
    hash_routes: Annotated[
        bool,
        Help(
            "Whether the part of a URL behind #/ or #!/ is part of a page.",
            {"true": "each route of a single-page app is a page", "false": "it is left out"},
            "Such a fragment is a route; one without a slash is a place in its page, and left out.",
        ),
    ] = True


class TimeOnPageSettings(Table, frozen=True, kw_only=True):
    """Time on a page."""

    mode: Annotated[
        Literal["engaged", "next_pageview", "pings"],
        Help(
            "How time on a page is measured.",
            {
                "engaged": "engaged_ms of heartbeats",
                "next_pageview": "until the next page view; keeps each page view of a session",
                "pings": "intervals with a heartbeat, by page view, as Snowplow does; keeps each "
                "heartbeat",
            },
        ),
    ] = "engaged"
    min_visit_seconds: Annotated[
        NotNegative,
        Help(
            "Time that the first heartbeat of a page view stands for, for pings.",
            why="5 s is the tracker's first ping.",
        ),
    ] = 5
    last_page: Annotated[
        Literal["exclude", "zero", "until_last_event"],
        Help(
            "Time on the last page of a session, which no page view follows, for next_pageview.",
            {
                "exclude": "the page is left out",
                "zero": "0 s",
                "until_last_event": "until the session's last event",
            },
        ),
    ] = "exclude"
    heartbeat_seconds: Annotated[
        NotNegative,
        Help(
            "Time that a heartbeat without engaged_ms stands for: the tracker's interval.",
            why="10 s is the usual interval.",
        ),
    ] = 10


class ScrollSettings(Table, frozen=True, kw_only=True):
    """Scroll depth of pages."""

    thresholds: Annotated[
        Annotated[tuple[Annotated[int, Meta(ge=1, le=100)], ...], Meta(max_length=8)],
        Help(
            "Percentages N of a page's height; each has a metric scroll_reached_N, the share of pages "
            "scrolled that far.",
        ),
    ] = (25, 50, 75, 90)
    basis: Annotated[
        Literal["session_page", "page_view"],
        Help(
            "Whose deepest scroll counts.",
            {
                "session_page": "that of a page in a session, over all its page views",
                "page_view": "that of each page view; keeps each page_view_id of a session",
            },
        ),
    ] = "session_page"


class ExitSettings(Table, frozen=True, kw_only=True):
    """Exits: the last pages of sessions."""

    denominator: Annotated[
        Literal["page_views", "sessions"],
        Help(
            "What exits of a page are divided by in exit_rate.",
            {
                "page_views": "views of the page",
                "sessions": "sessions that saw the page; keeps each page view of a session",
            },
        ),
    ] = "page_views"


class CtrSettings(Table, frozen=True, kw_only=True):
    """Click-through: clicks on content that was shown."""

    denominator: Annotated[
        Literal["impressions", "page_views", "unique_viewers"],
        Help(
            "What clicks are divided by in click_through_rate.",
            {
                "impressions": "impressions",
                "page_views": "page views, for sites that send no impressions",
                "unique_viewers": "people who saw the content, and only in "
                "unique_click_through_rate, by day; keeps who saw what on a day",
            },
        ),
    ] = "impressions"
    match_impression: Annotated[
        bool,
        Help(
            "Whether a click needs an impression of its content before it.",
            {
                "true": "it does, and counts in the window of the last one; keeps both for two days",
                "false": "every click on content counts",
            },
        ),
    ] = False
    attribution_window_seconds: Annotated[
        Annotated[int, Meta(ge=1, le=3600)],
        Help(
            "Longest time from an impression to its click, with ctr.match_impression.",
            why="30 min is as long as a session waits.",
        ),
    ] = 1800
