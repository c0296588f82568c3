"""Session settings, compiled: limits of a session, bounce rules, and the numbers it counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from stream.counters.calendar import HOUR_MS
from stream.counters.measures import scroll_reached
from stream.sessions.bounce import bounce_test, engaged_test
from stream.sessions.session import Session
from stream.settings.application import Settings
from stream.settings.sessions import DurationSettings

#: Silence after which a session id begins another session, if `session.id_max_hours` sets no limit.
#: A fixed limit, so that a restart cannot change which sessions are known.
ID_REACH_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SessionRules:
    """Session settings under their own names: seconds and hours as ms, a choice as `…_is_<choice>`.

    The comment before a field names its settings. `reach` is the longest gap that continues a session.
    A setting that is read at most once a session needs no field: read it from `settings`.
    """

    settings: Settings

    #: session.timeout_seconds; the reach is 1 ms less if session.boundary is gte.
    timeout_ms: int
    reach_ms: int
    #: session.max_duration_hours
    max_duration_ms: int
    #: session.timeout_by_platform: platform → (timeout, reach)
    timeout_by_platform: Mapping[str, tuple[int, int]]
    #: session.split_on_campaign_change
    split_on_campaign_change: bool
    #: session.platform_field
    platform_field: str
    #: Whether the platform or the campaign of an event decides about its session.
    has_split_keys: bool
    #: session.split_at_midnight
    split_at_midnight: bool
    #: session.source: not gap; not id
    source_has_ids: bool
    source_has_gaps: bool
    #: Whether an event without a session id may belong to a session by id.
    joins_ids: bool
    #: bounce.mode
    bounced: Callable[[Session], bool]
    #: bounce.engaged_min_seconds, bounce.engaged_min_page_views, bounce.engaged_goals
    engaged: Callable[[Session], bool]
    #: time_on_page.heartbeat_seconds
    heartbeat_ms: int
    #: exit.denominator
    exit_denominator_is_sessions: bool
    #: time_on_page.mode
    mode_is_next_pageview: bool
    #: time_on_page.last_page
    last_page: Literal["exclude", "zero", "until_last_event"]
    #: scroll.thresholds: (percent, measure)
    scroll_thresholds: tuple[tuple[int, str], ...]
    #: scroll.basis
    scroll_basis_is_page_view: bool
    #: Whether a session keeps every page view, instead of its first and its last.
    keep_path: bool
    #: Whether a session keeps the number of its interactive events.
    keep_actions: bool
    #: pages.count
    count_is_page_view_ids: bool
    #: Whether a session keeps each page view and heartbeat with its page view id.
    keep_page_pings: bool
    #: time_on_page.mode
    mode_is_pings: bool
    #: time_on_page.min_visit_seconds, at most the timeout
    min_visit_ms: int
    #: new.basis
    new_basis_is_session: bool
    #: session.include_open
    include_open: bool
    #: session.assign
    assign_is_end: bool
    #: pages.count: the pages of a session; None: its page views.
    count_pages: Callable[[Session], int] | None
    #: Whether a duration differs from the last event's time minus the first one's.
    is_measured: bool
    #: duration.heartbeats: whether a session keeps its first and last event without heartbeats.
    keep_real_span: bool
    #: session.id_scope
    id_scope_is_site: bool
    #: session.id_max_hours; 0: no limit
    id_max_ms: int
    #: Silence after which a session id begins another session.
    id_reach_ms: int

    @property
    def longest_timeout_ms(self) -> int:
        """Return the longest timeout of any platform."""
        return max(self.timeout_ms, *(own for own, _ in self.timeout_by_platform.values()), 0)

    def timeout_of(self, session: Session) -> int:
        """Return how long a session may pause before the watermark closes it."""
        own = self.timeout_by_platform.get(session.platform) if self.timeout_by_platform else None
        return self.timeout_ms if own is None else own[0]

    def reach_of(self, platform: str) -> int:
        """Return the longest gap that continues a session by gaps."""
        own = self.timeout_by_platform.get(platform) if self.timeout_by_platform else None
        return self.reach_ms if own is None else own[1]


def session_rules(settings: Settings) -> SessionRules:
    """Compile the settings of sessions and of the pages in them."""
    session, on_page, pages = settings.session, settings.time_on_page, settings.pages
    boundary_ms = int(session.boundary == "gte")
    timeout_ms, by_platform = session.timeout_seconds * 1000, session.timeout_by_platform
    exit_by_session, scroll_by_view = (
        settings.exit.denominator == "sessions",
        settings.scroll.basis == "page_view",
    )
    return SessionRules(
        settings=settings,
        timeout_ms=timeout_ms,
        reach_ms=timeout_ms - boundary_ms,
        max_duration_ms=session.max_duration_hours * HOUR_MS,
        timeout_by_platform={
            platform: (seconds * 1000, seconds * 1000 - boundary_ms)
            for platform, seconds in by_platform.items()
        },
        split_on_campaign_change=session.split_on_campaign_change,
        platform_field=session.platform_field,
        has_split_keys=session.split_on_campaign_change or bool(by_platform),
        split_at_midnight=session.split_at_midnight,
        source_has_ids=session.source != "gap",
        source_has_gaps=session.source != "id",
        joins_ids=session.source == "auto" and session.id_scope == "visitor",
        bounced=bounce_test(settings.bounce),
        engaged=engaged_test(settings.bounce),
        heartbeat_ms=on_page.heartbeat_seconds * 1000,
        exit_denominator_is_sessions=exit_by_session,
        mode_is_next_pageview=on_page.mode == "next_pageview",
        last_page=on_page.last_page,
        scroll_thresholds=tuple((n, scroll_reached(n)) for n in settings.scroll.thresholds),
        scroll_basis_is_page_view=scroll_by_view,
        keep_path=exit_by_session
        or on_page.mode == "next_pageview"
        or pages.count == "unique_pages",
        keep_actions=pages.count == "actions",
        count_is_page_view_ids=pages.count == "page_view_ids",
        keep_page_pings=pages.count == "page_view_ids" or on_page.mode == "pings" or scroll_by_view,
        mode_is_pings=on_page.mode == "pings",
        min_visit_ms=min(on_page.min_visit_seconds * 1000, timeout_ms),
        new_basis_is_session=settings.new.basis == "session",
        include_open=session.include_open,
        assign_is_end=session.assign == "end",
        count_pages=_PAGES_COUNTED[pages.count],
        keep_real_span=settings.duration.heartbeats == "ignore",
        is_measured=settings.duration != DurationSettings() or on_page.mode == "pings",
        id_scope_is_site=session.id_scope == "site",
        id_max_ms=session.id_max_hours * HOUR_MS,
        id_reach_ms=session.id_max_hours * HOUR_MS or ID_REACH_MS,
    )


def _unique_pages(session: Session) -> int:
    page_path = session.page_path
    return len({page for _, page, _ in page_path.path}) if page_path is not None else 0


def _actions(session: Session) -> int:
    return session.page_views + session.actions


_PAGES_COUNTED: Mapping[str, Callable[[Session], int] | None] = {
    "page_views": None,
    "page_view_ids": None,
    "unique_pages": _unique_pages,
    "actions": _actions,
}
