"""The tables of engage.toml that say what a session is, whether it bounced, and what it saw and clicked."""

from typing import Annotated, Literal

from msgspec import Meta, field

from stream.settings.connections import AtLeastOne, NotNegative, Table


class SessionSettings(Table, frozen=True, kw_only=True):
    timeout_seconds: Annotated[AtLeastOne, "30 min, the custom of every analytics tool"] = 1800
    timeout_by_platform: Annotated[
        dict[str, AtLeastOne],
        "seconds by platform, as ios = 300; sessions by gaps of such a platform are apart from others",
    ] = field(default_factory=dict)
    platform_field: Annotated[str, "field of the context that names the platform"] = "platform"
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
    id_scope: Annotated[
        Literal["visitor", "site"],
        "visitor: an id means a session of each visitor; site: one session, whoever it is of, if its "
        "events have it as their Kafka key",
    ] = "visitor"
    id_max_hours: Annotated[
        Annotated[int, Meta(ge=0, le=168)],
        "0: an id is trusted; else what comes later after its first event belongs to no session, "
        "and every id is kept as long as days are",
    ] = 0
    assign: Annotated[
        Literal["start", "end"], "the window that a session counts in: where it starts, or ends"
    ] = "start"
    include_open: Annotated[
        bool,
        "true: sessions under way count too, each a bounce at first; none is shown as open then",
    ] = False
    split_on_campaign_change: Annotated[
        bool,
        "true: another campaign in the context begins another session by gaps; keeps each event",
    ] = False
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
    engaged_goals: Annotated[
        bool, "ga4: true: a session that reached a goal is engaged, as Google's key events have it"
    ] = False


class DurationSettings(Table, frozen=True, kw_only=True):
    basis: Annotated[
        Literal["elapsed", "engaged"],
        "elapsed: last event − first; engaged: what heartbeats say, 0 without any",
    ] = "elapsed"
    zero_sessions: Annotated[
        Literal["include", "exclude"], "whether visits of no duration are part of the mean"
    ] = "include"
    cap_seconds: Annotated[NotNegative, "a longer visit counts as so long; 0: as it is"] = 0
    whole_seconds: Annotated[
        bool, "both ends are rounded down to seconds first, as warehouses have it"
    ] = False


class PageSettings(Table, frozen=True, kw_only=True):
    count: Annotated[
        Literal["page_views", "unique_pages", "page_view_ids", "actions"],
        "what pages_per_session counts: views; different pages; different page_view_id of views and "
        "heartbeats, which bounces go by as well; or views and interactive events. The second and "
        "third keep each of them",
    ] = "page_views"
    values_max: Annotated[
        AtLeastOne, "pages counted per site, each in some ten numbers; the rest is `other`"
    ] = 200
    hosts: Annotated[
        bool, "false: a page is a path; true: paths of several hosts of a site are told apart"
    ] = False


class TimeOnPageSettings(Table, frozen=True, kw_only=True):
    mode: Annotated[
        Literal["engaged", "next_pageview", "pings"],
        "engaged: what heartbeats say; next_pageview: until the next view, and keeps all views; "
        "pings: intervals with a heartbeat, by page view, and keeps all heartbeats (Snowplow)",
    ] = "engaged"
    min_visit_seconds: Annotated[
        NotNegative, "pings: what the first heartbeat of a page view stands for"
    ] = 5
    last_page: Annotated[
        Literal["exclude", "zero", "until_last_event"],
        "next_pageview: the last page of a session has no next; it is left out, or counts as 0, or "
        "until the session's last event",
    ] = "exclude"
    heartbeat_seconds: Annotated[
        NotNegative, "what a heartbeat without engaged_ms stands for: the usual interval"
    ] = 10


class ScrollSettings(Table, frozen=True, kw_only=True):
    thresholds: Annotated[
        Annotated[tuple[Annotated[int, Meta(ge=1, le=100)], ...], Meta(max_length=8)],
        "each N is a metric scroll_reached_N, the share of pages scrolled down to N percent",
    ] = (25, 50, 75, 90)
    basis: Annotated[
        Literal["session_page", "page_view"],
        "session_page: how far a page was scrolled in a visit, however often it was seen there; "
        "page_view: each page view by its page_view_id, which keeps them one by one",
    ] = "session_page"


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
