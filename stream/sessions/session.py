"""Sessions: what one holds, how an event finds, extends or merges them, and what one adds when it closes."""

from hashlib import blake2b
from typing import Any

from stream.counters.segments import Profile
from stream.sessions.page_path import Order, Trail

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
        #: See stream/sessions/splitting.py. Not stored.
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


def sid_digest(sid: str) -> bytes:
    """Eight bytes in the place of a session id: enough among the sessions of one person."""
    return blake2b(sid.encode(), digest_size=8).digest()


def session_keeper(site: str, sid: str) -> str:
    """Key of what keeps the session of an id that is nobody's own: no person has such a one."""
    return f"{site}\x1f\x1f{sid}"


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
