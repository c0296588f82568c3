"""Session settings, compiled: what a session is, when it bounced and what it counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from stream.sessions.session import Session

#: Silence after which a session id begins another session, if `session.id_max_hours` sets no limit.
#: A fixed limit, so that a restart cannot change which sessions are known.
ID_REACH_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SessionRules:
    """Session settings under their own names: seconds and hours as ms, a choice as `…_is_<choice>`.

    The comment before a field names its settings. `reach` is the longest gap that continues a session.
    """

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
    #: time_on_page.min_visit_seconds
    min_visit_ms: int
    #: new.basis
    new_basis_is_session: bool
    #: session.include_open
    include_open: bool
    #: session.assign
    assign_is_end: bool
    #: pages.count: the pages of a session; None: its page views.
    count_pages: Callable[[Session], int] | None
    #: duration.basis
    duration_basis_is_engaged: bool
    #: duration.whole_seconds
    whole_seconds: bool
    #: duration.cap_seconds; 0: no cap
    duration_cap_ms: int
    #: duration.zero_sessions
    zero_sessions_is_exclude: bool
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

    @property
    def is_measured(self) -> bool:
        """Whether a duration differs from the last event's time minus the first one's."""
        return (
            self.duration_basis_is_engaged
            or self.whole_seconds
            or self.zero_sessions_is_exclude
            or self.mode_is_pings
            or self.duration_cap_ms > 0
        )
