"""Sessions: what one holds, how an event finds, extends or merges them, and what one adds when it closes."""

from hashlib import blake2b
from typing import Any

from stream.names import Profile

#: Buckets of the duration histogram grow by 2^(1/8): a quantile is off by 4.5 % at most.
BUCKETS_PER_DOUBLING = 8

_INTERACTIVE, _REAL, _CLOSED = 1, 2, 4
#: What happened in a session, as bits of its `marks`: something went into the cart, an order, a goal.
CARTED, ORDERED, CONVERTED = 8, 16, 32
_MARKS = CARTED | ORDERED | CONVERTED


class Session:
    """A run of events of one person, by session id or by gaps. Times are epoch ms."""

    __slots__ = (
        "closed", "end", "interactive", "marks", "page_views", "profile_id", "real", "sid", "start",
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
        #: Bits of CARTED, ORDERED, CONVERTED.
        self.marks = 0
        #: Has an event other than a heartbeat: only then it counts.
        self.real = False
        self.closed = False

    def pack(self) -> tuple[Any, ...]:
        """As a short tuple for msgpack."""
        flags = _INTERACTIVE * self.interactive | _REAL * self.real | _CLOSED * self.closed
        flags |= self.marks
        head = (self.start, self.end - self.start, self.page_views, flags, self.profile_id)
        return head if self.sid is None else (*head, self.sid)

    @staticmethod
    def unpack(fields: list[Any]) -> "Session":
        """The session that `pack` wrote."""
        start, length, page_views, flags, profile_id, *sid = fields
        session = Session(sid[0] if sid else None, start, profile_id)
        session.end = start + length
        session.page_views = page_views
        session.interactive = bool(flags & _INTERACTIVE)
        session.real = bool(flags & _REAL)
        session.closed = bool(flags & _CLOSED)
        session.marks = flags & _MARKS
        return session


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


def merge(into: Session, other: Session, earlier: bool) -> None:
    """Join two sessions that an event has connected; `earlier` says that `other`'s profile comes first."""
    if earlier:
        into.profile_id = other.profile_id
    into.start = min(into.start, other.start)
    into.end = max(into.end, other.end)
    into.page_views += other.page_views
    into.interactive |= other.interactive
    into.real |= other.real
    into.marks |= other.marks


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
