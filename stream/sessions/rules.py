"""What a session is, when it bounced and what it counts: the session settings, compiled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from stream.sessions.session import Session


@dataclass(frozen=True, slots=True)
class SessionRules:
    """What a session is and when it bounced. `reach_ms` is the longest gap that continues a session."""

    timeout_ms: int
    reach_ms: int
    #: The longest that a session by gaps may last.
    max_ms: int
    #: Platform → (timeout, reach) of its sessions by gaps, where it has its own.
    by_platform: Mapping[str, tuple[int, int]]
    #: Another campaign begins another session by gaps.
    by_campaign: bool
    #: The field of the context that names the platform.
    platform_field: str
    #: The platform or the campaign of an event decides about its session.
    has_split_keys: bool
    #: No session goes on after midnight.
    by_day: bool
    use_ids: bool
    use_gaps: bool
    bounced: Callable[[Session], bool]
    engaged: Callable[[Session], bool]
    #: Time that a heartbeat stands for when it does not say.
    heartbeat_ms: int
    #: Exits are divided by the sessions that saw the page, not by its views.
    exits_by_session: bool
    #: Time on a page lasts until the next page view.
    time_between: bool
    #: What the last page of a session has then, which no page view follows.
    last_page: Literal["exclude", "zero", "until_last_event"]
    #: (percent, measure) of the scroll depths that are counted.
    scroll_reached: tuple[tuple[int, str], ...]
    #: Scroll depths are those of single page views, not of a page in a session.
    scroll_by_view: bool
    #: Every page view of a session is kept, not the first and the last only.
    keep_path: bool
    #: Interactive events of a session are counted.
    keep_actions: bool
    #: Page views go by their ids, and a heartbeat is one of its page view.
    by_view_id: bool
    #: Page views and heartbeats of a session are kept one by one, with their ids.
    keep_page_pings: bool
    #: Engaged time is counted from single heartbeats, of which the first stands for `least_ms`.
    by_page_pings: bool
    least_ms: int
    #: The first session of each person is counted by itself.
    counts_first: bool
    #: Sessions count while they are still open.
    counts_open: bool
    #: Sessions count in the window in which they end, not in which they start.
    at_end: bool
    #: What stands for the pages of a session in pages per session; None: its page views.
    counted_pages: Callable[[Session], int] | None
    #: Sessions last as long as somebody is engaged, not from the first event to the last.
    lasts_engaged: bool
    #: Both ends of a session are rounded down to seconds.
    whole_seconds: bool
    #: A session counts as no longer than this; 0: as long as it is.
    longest_ms: int
    #: Sessions of no duration are not part of it.
    without_zeros: bool
    #: A session id is one session whoever it is of, not one of each visitor.
    ids_of_site: bool
    #: What comes so long after the first event of a session id belongs to no session; 0: everything does.
    id_max_ms: int
    #: For how long a session id may be silent and still go on.
    id_reach_ms: int

    @property
    def longest_timeout_ms(self) -> int:
        """Of all platforms."""
        return max(self.timeout_ms, *(own for own, _ in self.by_platform.values()), 0)

    def timeout_of(self, session: Session) -> int:
        """How long a session may pause before the watermark closes it."""
        own = self.by_platform.get(session.platform) if self.by_platform else None
        return self.timeout_ms if own is None else own[0]

    def reach_of(self, platform: str) -> int:
        """The longest gap that continues a session by gaps."""
        own = self.by_platform.get(platform) if self.by_platform else None
        return self.reach_ms if own is None else own[1]

    @property
    def is_measured(self) -> bool:
        """Whether the duration is more than the last event less the first."""
        odd = self.lasts_engaged or self.whole_seconds or self.without_zeros or self.by_page_pings
        return odd or bool(self.longest_ms)


#: A session id that has been silent for longer begins another session when it comes back. There must
#: be an end to what is kept, and a fixed one, or a crash would decide what is still known.
ID_REACH_MS = 86_400_000
