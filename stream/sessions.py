"""Sessions: what one holds, how an event finds, extends or merges them, and what one adds when it closes."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

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


class Session:
    """Events of one person: a session by its id, or a piece of one by gaps. Times are epoch ms."""

    __slots__ = (
        "closed", "end", "interactive", "joined", "marks", "page_views", "profile_id", "real", "sid",
        "start", "trail", "until",
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
        #: Bits of CARTED, ORDERED, CONVERTED, and how many goals: see `marked`.
        self.marks = 0
        #: Has an event other than a heartbeat: only then it counts.
        self.real = False
        self.closed = False
        #: Was counted as one session with the piece before it. Holds while it is closed.
        self.joined = False
        #: Its pages; None before the first.
        self.trail: Trail | None = None
        #: See stream/runs.py. Not stored.
        self.until = start

    def pack(self) -> tuple[Any, ...]:
        """As a short tuple for msgpack."""
        flags = _INTERACTIVE * self.interactive | _REAL * self.real | _CLOSED * self.closed
        flags |= self.marks | _JOINED * self.joined
        head: tuple[Any, ...] = (
            self.start,
            self.end - self.start,
            self.page_views,
            flags,
            self.profile_id,
        )
        if self.sid is not None:
            head = (*head, self.sid)
        if self.trail is None:
            return head
        return (*head, *self.trail.pack(self.page_views, self.start, self.end))

    @staticmethod
    def unpack(fields: list[Any]) -> "Session":
        """The session that `pack` wrote."""
        start, length, page_views, flags, profile_id, *rest = fields
        has_sid = bool(rest) and isinstance(rest[0], (str, bytes))
        session = Session(rest[0] if has_sid else None, start, profile_id)
        trail = rest[has_sid:]
        if trail:
            session.trail = Trail.unpack(trail, page_views, start, start + length)
        session.end = start + length
        session.page_views = page_views
        session.interactive = bool(flags & _INTERACTIVE)
        session.real = bool(flags & _REAL)
        session.closed = bool(flags & _CLOSED)
        session.joined = bool(flags & _JOINED)
        session.marks = flags & _MARKS | flags >> _GOALS_FROM << _GOALS_FROM
        return session


@dataclass(frozen=True, slots=True)
class SessionRules:
    """What a session is and when it bounced. `reach_ms` is the longest gap that continues a session."""

    timeout_ms: int
    reach_ms: int
    #: The longest that a session by gaps may last.
    max_ms: int
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

    @property
    def keep_path(self) -> bool:
        """Whether every page view of a session is kept, not the first and the last only."""
        return self.exits_by_session or self.time_between


def sid_digest(sid: str) -> bytes:
    """Eight bytes in the place of a session id: enough among the sessions of one person."""
    return blake2b(sid.encode(), digest_size=8).digest()


#: A session id that has been silent for longer begins another session when it comes back. There must
#: be an end to what is kept, and a fixed one, or a crash would decide what is still known.
ID_REACH_MS = 86_400_000


def reached(sessions: list[Session], sid: str | None, time_ms: int, reach_ms: int) -> list[Session]:
    """The sessions that an event belongs to, by id or, without one, by a gap of at most `reach_ms`."""
    if sid is not None:
        names: tuple[str | bytes | None, ...] = (sid, sid_digest(sid))
        reach_ms = ID_REACH_MS
    else:
        names = (None,)
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
