"""Sessions: what one holds, how an event finds, extends or merges them, and what one adds when it closes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from stream.names import Profile
from stream.trails import Order, Trail

#: Buckets of the duration histogram grow by 2^(1/8): a quantile is off by 4.5 % at most.
BUCKETS_PER_DOUBLING = 8

_INTERACTIVE, _REAL, _CLOSED, _JOINED = 1, 2, 4, 64
#: What happened in a session, as bits of its `marks`: something went into the cart, an order, a goal.
CARTED, ORDERED, CONVERTED = 8, 16, 32
#: From this bit on the marks hold a number: how many events reached a goal, where that is counted.
_GOALS_FROM = 7
A_GOAL = 1 << _GOALS_FROM
_MARKS = CARTED | ORDERED | CONVERTED
#: Begins what stands in the place of an id, and separates its parts; ids have no control characters
#: at their beginning that trackers would send.
_LANE = "\x1f"
#: In the flags, the number of actions stands above that of goals.
_ACTIONS_FROM = 31


class Session:
    """Events of one person: a session by its id, or a piece of one by gaps. Times are epoch ms."""

    __slots__ = (
        "actions", "campaign", "closed", "end", "interactive", "joined", "marks", "page_views",
        "platform", "profile_id", "real", "sid", "start", "trail", "until",
    )  # fmt: skip

    def __init__(self, sid: str | bytes | None, start: int, profile_id: int) -> None:
        #: Session id; its digest once the session has closed.
        self.sid = sid
        self.start = start
        self.end = start
        #: Profile of the earliest event (at equal times: the one that sorts first).
        self.profile_id = profile_id
        self.page_views = 0
        self.interactive = False
        #: How many interactive events, where the settings ask for it.
        self.actions = 0
        #: Bits of CARTED, ORDERED, CONVERTED, and how many goals: see `marked`.
        self.marks = 0
        #: Has an event other than a heartbeat: only then it counts.
        self.real = False
        self.closed = False
        #: Was counted as one session with the piece before it. Holds while it is closed.
        self.joined = False
        #: Its pages; None before the first.
        self.trail: Trail | None = None
        #: Of a piece by gaps, where these decide what a session is; else empty.
        self.platform = ""
        self.campaign = ""
        #: See stream/runs.py. Not stored.
        self.until = start

    def pack(self) -> tuple[Any, ...]:
        """As a short tuple for msgpack."""
        flags = _INTERACTIVE * self.interactive | _REAL * self.real | _CLOSED * self.closed
        flags |= self.marks | _JOINED * self.joined | self.actions << _ACTIONS_FROM
        head: tuple[Any, ...] = (
            self.start,
            self.end - self.start,
            self.page_views,
            flags,
            self.profile_id,
        )
        if self.sid is not None:
            head = (*head, self.sid)
        elif self.platform or self.campaign:
            head = (*head, f"{_LANE}{self.platform}{_LANE}{self.campaign}")
        if self.trail is None:
            return head
        return (*head, *self.trail.pack(self.page_views, self.start, self.end))

    @staticmethod
    def unpack(fields: list[Any]) -> "Session":
        """The session that `pack` wrote."""
        start, length, page_views, flags, profile_id, *rest = fields
        has_sid = bool(rest) and isinstance(rest[0], (str, bytes))
        name = rest[0] if has_sid else None
        lane = name.split(_LANE) if isinstance(name, str) and name.startswith(_LANE) else None
        session = Session(None if lane else name, start, profile_id)
        if lane:
            _, session.platform, session.campaign = lane
        trail = rest[has_sid:]
        if trail:
            session.trail = Trail.unpack(trail, page_views, start, start + length)
        session.end = start + length
        session.page_views = page_views
        session.interactive = bool(flags & _INTERACTIVE)
        session.real = bool(flags & _REAL)
        session.closed = bool(flags & _CLOSED)
        session.joined = bool(flags & _JOINED)
        session.marks = flags & _MARKS | flags % (1 << _ACTIONS_FROM) >> _GOALS_FROM << _GOALS_FROM
        session.actions = flags >> _ACTIONS_FROM
        return session

    def views(self) -> int:
        """How many page views; where these go by their ids, how many ids."""
        trail = self.trail
        if trail is not None and trail.pings is not None and trail.pings.views:
            return len(trail.pings.views)
        return self.page_views


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
    has_lanes: bool
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
    keep_pings: bool
    #: Engaged time is counted from single heartbeats, of which the first stands for `least_ms`.
    by_pings: bool
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
        odd = self.lasts_engaged or self.whole_seconds or self.without_zeros or self.by_pings
        return odd or bool(self.longest_ms)


def sid_digest(sid: str) -> bytes:
    """Eight bytes in the place of a session id: enough among the sessions of one person."""
    return blake2b(sid.encode(), digest_size=8).digest()


def session_keeper(site: str, sid: str) -> str:
    """Key of what keeps the session of an id that is nobody's own: no person has such a one."""
    return f"{site}\x1f\x1f{sid}"


#: A session id that has been silent for longer begins another session when it comes back. There must
#: be an end to what is kept, and a fixed one, or a crash would decide what is still known.
ID_REACH_MS = 86_400_000


def reached(sessions: list[Session], sid: str | None, time_ms: int, reach_ms: int) -> list[Session]:
    """The sessions that an event belongs to, by id or without one, no farther away than `reach_ms`."""
    names: tuple[str | bytes | None, ...] = (None,)
    if sid is not None:
        names = (sid, sid_digest(sid))
    return [
        session
        for session in sessions
        if session.sid in names and session.start - reach_ms <= time_ms <= session.end + reach_ms
    ]


def merge(into: Session, other: Session, earlier: bool, order: Order) -> None:
    """Join two sessions that an event has connected; `earlier` says that `other`'s profile comes first."""
    if earlier:
        into.profile_id = other.profile_id
    into.start = min(into.start, other.start)
    into.end = max(into.end, other.end)
    into.page_views += other.page_views
    into.interactive |= other.interactive
    into.real |= other.real
    into.marks = marked(into.marks, other.marks)
    into.actions += other.actions
    if into.trail is None:
        into.trail = other.trail
    elif other.trail is not None:
        into.trail.join(other.trail, order)


def marked(marks: int, more: int) -> int:
    """Two marks in one: what happened in either, and the goals of both."""
    return (marks | more) & _MARKS | (goals_in(marks) + goals_in(more)) << _GOALS_FROM


def goals_in(marks: int) -> int:
    """How many events reached a goal, where that is counted."""
    return marks >> _GOALS_FROM


def comes_first(start: int, profile: Profile, other_start: int, other: Profile) -> bool:
    """Whether (start, profile) names a session before (other_start, other): order-free, shard-free."""
    return (start, profile.order) < (other_start, other.order)


def duration_bucket(duration_ms: int) -> int:
    """Number of the log-scale histogram bucket of a duration: 0 for none, else 1 + floor(8 log2 ms)."""
    if duration_ms <= 0:
        return 0
    # Integers keep the edges exact: floor(8 log2 d) is the bit length of d^8, less one.
    return int((duration_ms**BUCKETS_PER_DOUBLING).bit_length())


def duration_bucket_bounds_seconds(bucket: int) -> tuple[float, float]:
    """Lower and upper edge of a histogram bucket in seconds."""
    if bucket <= 0:
        return 0.0, 0.0
    edge = 1.0 / BUCKETS_PER_DOUBLING
    return 2.0 ** ((bucket - 1) * edge) / 1000, 2.0 ** (bucket * edge) / 1000
