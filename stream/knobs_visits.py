"""The tables of engage.toml that say what a session is, whether it bounced, and what it saw and clicked."""

from typing import Annotated, Literal

from msgspec import Meta

from stream.connections import AtLeastOne, NotNegative, Table


class SessionSettings(Table, frozen=True, kw_only=True):
    timeout_seconds: Annotated[AtLeastOne, "30 min, the custom of every analytics tool"] = 1800
    boundary: Annotated[
        Literal["gt", "gte"], "gt: a gap of exactly the timeout continues the session; gte: splits"
    ] = "gt"
    source: Annotated[
        Literal["auto", "id", "gap"], "auto: session_id where an event has one, else the gap"
    ] = "auto"
    max_duration_hours: Annotated[
        Annotated[int, Meta(ge=1, le=168)],
        "a session by gaps that lasts longer is cut, at a full 24th of this; ids are trusted",
    ] = 24
    split_at_midnight: Annotated[
        bool, "true: no session goes on after midnight in the zone of its site, with an id or not"
    ] = False


class BounceSettings(Table, frozen=True, kw_only=True):
    mode: Annotated[
        Literal["classic_interaction", "single_pageview", "ga4", "posthog"],
        "one page view and no interactive event; or one page view; or not engaged; or the first, and short",
    ] = "classic_interaction"
    interactive_events: Annotated[
        tuple[str, ...],
        "classic_interaction, posthog: types that keep a visit from being a bounce; empty: all by which "
        "somebody does more than look",
    ] = ()
    engaged_min_seconds: Annotated[NotNegative, "ga4, posthog: a session this long is engaged"] = 10
    engaged_min_page_views: Annotated[AtLeastOne, "ga4: this many pages is engaged"] = 2


class PageSettings(Table, frozen=True, kw_only=True):
    values_max: Annotated[
        AtLeastOne, "pages counted per site, each in some ten numbers; the rest is `other`"
    ] = 200
    hosts: Annotated[
        bool, "false: a page is a path; true: paths of several hosts of a site are told apart"
    ] = False


class TimeOnPageSettings(Table, frozen=True, kw_only=True):
    mode: Annotated[
        Literal["engaged", "next_pageview"],
        "engaged: what heartbeats say; next_pageview: until the next view, and keeps all views",
    ] = "engaged"
    heartbeat_seconds: Annotated[
        NotNegative, "what a heartbeat without engaged_ms stands for: the usual interval"
    ] = 10


class ExitSettings(Table, frozen=True, kw_only=True):
    denominator: Annotated[
        Literal["page_views", "sessions"],
        "page_views of the page; or the sessions that saw it, which keeps all views of each",
    ] = "page_views"


class CtrSettings(Table, frozen=True, kw_only=True):
    denominator: Annotated[
        Literal["impressions", "page_views", "unique_viewers"],
        "page_views where no impressions are sent; unique_viewers: of unique clicks alone, by day, and "
        "keeps who saw content on a day",
    ] = "impressions"
    match_impression: Annotated[
        bool,
        "true: a click counts only after an impression of its content, in the window of the last one; "
        "keeps both for a day or two",
    ] = False
    attribution_window_seconds: Annotated[
        Annotated[int, Meta(ge=1, le=3600)],
        "30 min, as long as a visit waits: how long after it a click is that impression's",
    ] = 1800
