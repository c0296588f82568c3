"""Settings of sessions: their bounds, duration and bounces."""

from typing import Annotated, Literal

from msgspec import Meta, field

from stream.settings.table import AtLeastOne, Help, NotNegative, Table


class SessionSettings(Table, frozen=True, kw_only=True):
    """Sessions: which events belong together, by their session_id or by gaps of time."""

    timeout_seconds: Annotated[
        AtLeastOne,
        Help(
            "Pause after which a person's next event begins another session.",
            why="30 min is the custom of web analytics.",
            basic=True,
        ),
    ] = 1800
    timeout_by_platform: Annotated[
        dict[str, AtLeastOne],
        Help(
            "Timeouts of single platforms, in seconds. Events of such a platform never continue a "
            "session of another one, unless they have a session_id.",
            example="timeout_by_platform = { ios = 300, android = 300 }",
        ),
    ] = field(default_factory=dict)
    platform_field: Annotated[str, Help("Field of the context that names the platform.")] = (
        "platform"
    )
    boundary: Annotated[
        Literal["gt", "gte"],
        Help(
            "What a pause of exactly the timeout does.",
            {"gt": "it continues the session", "gte": "it ends the session"},
        ),
    ] = "gt"
    source: Annotated[
        Literal["auto", "id", "gap"],
        Help(
            "What tells sessions apart.",
            {
                "auto": "the session_id if an event has one, else the session that its person has open, "
                "else the pause",
                "id": "only the session_id",
                "gap": "only the pause",
            },
            "A server seldom knows the session_id of the browser.",
            basic=True,
        ),
    ] = "auto"
    explicit_ends: Annotated[
        bool,
        Help(
            "What session_start and session_end do.",
            {
                "true": "the first begins a session, the second ends it: that of its session_id, or "
                "the person's session by gaps; an end alone is no session",
                "false": "they are events like any other",
            },
            "A tracker that sends them knows when a session ends.",
        ),
    ] = True
    max_duration_hours: Annotated[
        Annotated[int, Meta(ge=1, le=168)],
        Help(
            "Length at which a session without session_id is cut, to a 24th of this exactly.",
            why="24 h ends the endless sessions of open tabs.",
        ),
    ] = 24
    id_scope: Annotated[
        Literal["visitor", "site"],
        Help(
            "Whose events one session_id joins.",
            {
                "visitor": "those of one visitor: the same id of two visitors is two sessions",
                "site": "those of a site; its events need the session_id as their Kafka key",
            },
            "Ids of trackers are not unique across visitors.",
        ),
    ] = "visitor"
    id_max_hours: Annotated[
        Annotated[int, Meta(ge=0, le=168)],
        Help(
            "Time after the first event of a session_id beyond which its events belong to no session. "
            "Every id is then kept for time.day_retention_days.",
            {"0": "no limit"},
            "Trackers are trusted to change their ids.",
        ),
    ] = 0
    assign: Annotated[
        Literal["start", "end"],
        Help(
            "Window in which a session counts.",
            {"start": "where it starts", "end": "where it ends"},
        ),
    ] = "start"
    include_open: Annotated[
        bool,
        Help(
            "Whether sessions that are still open count.",
            {
                "true": "they do, each as a bounce at first; sessions_active is 0",
                "false": "a session counts when it has ended",
            },
        ),
    ] = False
    split_on_campaign_change: Annotated[
        bool,
        Help(
            "Whether another campaign in the context begins another session.",
            {"true": "it does, without session_id; keeps each event of a session", "false": "no"},
        ),
    ] = False
    split_at_midnight: Annotated[
        bool,
        Help(
            "Whether a session ends at midnight in the time zone of its site.",
            {"true": "it does, with a session_id or without", "false": "it goes on"},
        ),
    ] = False


class BounceSettings(Table, frozen=True, kw_only=True):
    """Bounces: sessions in which a visitor saw a page and left."""

    mode: Annotated[
        Literal["classic_interaction", "single_pageview", "ga4", "posthog"],
        Help(
            "Which sessions with a page view are bounces.",
            {
                "classic_interaction": "one page view and no interactive event",
                "single_pageview": "one page view",
                "ga4": "not engaged: short, few page views, and no goal if bounce.engaged_goals",
                "posthog": "one page view, no interactive event, shorter than "
                "bounce.engaged_min_seconds",
            },
            basic=True,
        ),
    ] = "classic_interaction"
    interactive_events: Annotated[
        tuple[str, ...],
        Help(
            "Event types that keep a session from being a bounce, for classic_interaction and posthog.",
            {"[]": "clicks, custom events, features, carts, orders and goals"},
            example='interactive_events = ["click", "order"]',
        ),
    ] = ()
    engaged_min_seconds: Annotated[
        NotNegative,
        Help(
            "Length at which a session is engaged, for ga4 and posthog.",
            why="10 s is the value of Google Analytics 4 and PostHog.",
        ),
    ] = 10
    engaged_min_page_views: Annotated[
        AtLeastOne,
        Help(
            "Page views with which a session is engaged, for ga4.",
            why="2 is the value of Google Analytics 4.",
        ),
    ] = 2
    engaged_goals: Annotated[
        bool,
        Help(
            "Whether a session that reached a goal is engaged, for ga4.",
            {"true": "it is, as with Google's key events", "false": "goals do not matter"},
        ),
    ] = False


class DurationSettings(Table, frozen=True, kw_only=True):
    """Length of sessions."""

    basis: Annotated[
        Literal["elapsed", "engaged"],
        Help(
            "How long a session lasts.",
            {
                "elapsed": "from its first event to its last",
                "engaged": "the engaged time of its heartbeats, 0 without any",
            },
        ),
    ] = "elapsed"
    heartbeats: Annotated[
        Literal["count", "ignore"],
        Help(
            "Whether a heartbeat lengthens a session, if duration.basis is elapsed.",
            {
                "count": "it does: the page is still open",
                "ignore": "it only keeps the session open; as the visit duration of Plausible",
            },
            "A heartbeat says that somebody still reads.",
        ),
    ] = "count"
    zero_sessions: Annotated[
        Literal["include", "exclude"],
        Help(
            "Whether sessions of length 0 are part of mean and quantiles.",
            {"include": "they are", "exclude": "they are not"},
        ),
    ] = "include"
    cap_seconds: Annotated[
        NotNegative,
        Help("Longest length that a session counts with.", {"0": "no limit"}),
    ] = 0
    whole_seconds: Annotated[
        bool,
        Help(
            "Whether both ends of a session are rounded down to seconds first.",
            {"true": "they are, as in data warehouses", "false": "milliseconds count"},
        ),
    ] = False
