"""Sessions: what one holds, how an event finds, extends or merges them, and what one adds when it closes."""

from hashlib import blake2b
from typing import Any

from stream.counters.segments import SegmentSet
from stream.sessions.page_path import Order, PagePath

_INTERACTIVE, _REAL, _CLOSED, _JOINED = 1, 2, 4, 64
#: What happened in a session, as bits of its `marks`: something went into the cart, an order, a goal.
CARTED, ORDERED, CONVERTED = 8, 16, 32
#: From this bit on the marks hold a number: how many events reached a goal, where that is counted.
_GOALS_FROM = 7
A_GOAL = 1 << _GOALS_FROM
_MARKS = CARTED | ORDERED | CONVERTED
#: Begins what stands in the place of an id, and separates its parts; ids have no control characters
#: at their beginning that trackers would send.
_SPLIT_KEY = "\x1f"
#: In the flags, the number of actions stands above that of goals.
_ACTIONS_FROM = 31


class Session:
    """Events of one person: a session by its id, or a piece of one by gaps. Times are epoch ms."""

    __slots__ = (
        "actions",
        "campaign",
        "closed",
        "end",
        "interactive",
        "joined",
        "marks",
        "page_path",
        "page_views",
        "platform",
        "real",
        "segment_set_id",
        "sid",
        "start",
        "until",
    )  # fmt: skip

    def __init__(self, sid: str | bytes | None, start: int, segment_set_id: int) -> None:
        #: Session id; its digest once the session has closed.
        self.sid = sid
        self.start = start
        self.end = start
        #: Profile of the earliest event (at equal times: the one that sorts first).
        self.segment_set_id = segment_set_id
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
        self.page_path: PagePath | None = None
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
            self.segment_set_id,
        )
        if self.sid is not None:
            head = (*head, self.sid)
        elif self.platform or self.campaign:
            head = (*head, f"{_SPLIT_KEY}{self.platform}{_SPLIT_KEY}{self.campaign}")
        if self.page_path is None:
            return head
        return (*head, *self.page_path.pack(self.page_views, self.start, self.end))

    @staticmethod
    def unpack(fields: list[Any]) -> "Session":
        """The session that `pack` wrote."""
        start, length, page_views, flags, segment_set_id, *rest = fields
        has_sid = bool(rest) and isinstance(rest[0], (str, bytes))
        name = rest[0] if has_sid else None
        split_key = (
            name.split(_SPLIT_KEY)
            if isinstance(name, str) and name.startswith(_SPLIT_KEY)
            else None
        )
        session = Session(None if split_key else name, start, segment_set_id)
        if split_key:
            _, session.platform, session.campaign = split_key
        page_path = rest[has_sid:]
        if page_path:
            session.page_path = PagePath.unpack(page_path, page_views, start, start + length)
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
        page_path = self.page_path
        if (
            page_path is not None
            and page_path.page_pings is not None
            and page_path.page_pings.views
        ):
            return len(page_path.page_pings.views)
        return self.page_views


def sid_digest(sid: str) -> bytes:
    """Eight bytes in the place of a session id: enough among the sessions of one person."""
    return blake2b(sid.encode(), digest_size=8).digest()


def session_keeper(site: str, sid: str) -> str:
    """Key of what keeps the session of an id that is nobody's own: no person has such a one."""
    return f"{site}\x1f\x1f{sid}"


def reached(sessions: list[Session], sid: str | None, time_ms: int, reach_ms: int) -> list[Session]:
    """The sessions that an event belongs to, by id or without one, no farther away than `reach_ms`."""
    registry: tuple[str | bytes | None, ...] = (None,)
    if sid is not None:
        registry = (sid, sid_digest(sid))
    return [
        session
        for session in sessions
        if session.sid in registry and session.start - reach_ms <= time_ms <= session.end + reach_ms
    ]


def merge(into: Session, other: Session, earlier: bool, order: Order) -> None:
    """Join two sessions that an event has connected; `earlier` says that `other`'s profile comes first."""
    if earlier:
        into.segment_set_id = other.segment_set_id
    into.start = min(into.start, other.start)
    into.end = max(into.end, other.end)
    into.page_views += other.page_views
    into.interactive |= other.interactive
    into.real |= other.real
    into.marks = marked(into.marks, other.marks)
    into.actions += other.actions
    if into.page_path is None:
        into.page_path = other.page_path
    elif other.page_path is not None:
        into.page_path.join(other.page_path, order)


def marked(marks: int, more: int) -> int:
    """Two marks in one: what happened in either, and the goals of both."""
    return (marks | more) & _MARKS | (goals_in(marks) + goals_in(more)) << _GOALS_FROM


def goals_in(marks: int) -> int:
    """How many events reached a goal, where that is counted."""
    return marks >> _GOALS_FROM


def comes_first(start: int, segment_set: SegmentSet, other_start: int, other: SegmentSet) -> bool:
    """Whether (start, profile) names a session before (other_start, other): order-free, shard-free."""
    return (start, segment_set.order) < (other_start, other.order)
