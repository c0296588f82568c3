"""Session of a person: its fields, its stored form, and how an event finds or merges sessions."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from mypy_extensions import mypyc_attr

from stream.counters.segments import SegmentSet
from stream.sessions.page_path import PagePath

_INTERACTIVE, _REAL, _CLOSED, _JOINED = 1, 2, 4, 64
#: Bits of a session's `marks`: a cart was filled, an order was placed, a goal was reached.
CARTED, ORDERED, CONVERTED = 8, 16, 32
#: From this bit on the marks hold the number of events that reached a goal, if configured.
_GOALS_FROM = 7
A_GOAL = 1 << _GOALS_FROM
_MARKS = CARTED | ORDERED | CONVERTED
#: Begins the stored split key, which takes the place of an id, and separates its parts. Trackers
#: send no id that begins with a control character.
_SPLIT_KEY = "\x1f"
#: Bits of a session's `traits`: it was counted with a session by id (valid while closed); it is the
#: fragment of a single instant, whose events count for the session of that instant; a session_start
#: is its first event; a session_end is its last; it was open although the watermark was past its
#: end, so that its closing must be stored (see closing.py).
ATTACHED, ALONE, BEGUN, ENDED, OVERDUE = 1, 2, 4, 8, 16
#: In the stored flags, the number of actions follows the number of goals.
_ACTIONS_FROM = 31
#: Number of the fields that every stored session has.
_HEAD = 5
#: Keys of what few sessions hold: a mapping at the end of the stored form.
_RANKS, _REAL_SPAN, _TRAITS = "r", "s", "t"


_NOTHING: Mapping[str, Any] = {}


@mypyc_attr(acyclic=True)
class Session:
    """Events of one person: a session by its id, or a fragment of one by gaps. Times are epoch ms."""

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
        "real_end",
        "real_start",
        "segment_set_id",
        "sid",
        "start",
        "traits",
        "until",
    )  # fmt: skip

    def __init__(self, sid: str | bytes | None, start: int, segment_set_id: int) -> None:
        #: Session id; its digest once the session has closed.
        self.sid = sid
        self.start = start
        self.end = start
        #: Segment set of the earliest event; at equal times, of the one that sorts first.
        self.segment_set_id = segment_set_id
        self.page_views = 0
        self.interactive = False
        #: Number of interactive events, if the settings need it.
        self.actions = 0
        #: Bits CARTED, ORDERED, CONVERTED, and the number of goals: see `marked`.
        self.marks = 0
        #: Whether it has an event other than a heartbeat: only then it counts.
        self.real = False
        #: First and last of these events, if the settings need them; -1 before the first.
        self.real_start = self.real_end = -1
        self.closed = False
        #: Whether it was counted as one session with the fragment before it; valid while closed.
        self.joined = False
        #: Bits ATTACHED, ALONE, BEGUN, ENDED.
        self.traits = 0
        #: None before the first page view or heartbeat.
        self.page_path: PagePath | None = None
        #: Split key of a fragment by gaps; empty unless the settings split by it.
        self.platform = ""
        self.campaign = ""
        #: See stream/sessions/splitting.py. Not stored.
        self.until = start

    def pack(self) -> list[Any]:
        """Return a short list for msgpack."""
        flags = self.marks | self.actions << _ACTIONS_FROM
        if self.interactive:
            flags |= _INTERACTIVE
        if self.real:
            flags |= _REAL
        if self.closed:
            flags |= _CLOSED
        if self.joined:
            flags |= _JOINED
        start, end = self.start, self.end
        packed: list[Any] = [start, end - start, self.page_views, flags, self.segment_set_id]
        if self.sid is not None:
            packed.append(_without_mark(self.sid))
        elif self.platform or self.campaign:
            packed.append(f"{_SPLIT_KEY}{self.platform}{_SPLIT_KEY}{self.campaign}")
        page_path = self.page_path
        has_ranks = False
        if page_path is not None:
            page_path.pack_into(packed, self.page_views, start, end)
            has_ranks = bool(page_path.entry_rank or page_path.exit_rank or page_path.path)
        if has_ranks or self.traits or self.real_end >= 0:
            packed.append(self._rare())
        return packed

    @staticmethod
    def unpack(fields: Sequence[Any]) -> "Session":
        """Restore a session that `pack` wrote."""
        start: int = fields[0]
        page_views: int = fields[2]
        flags: int = fields[3]
        session = Session(None, start, fields[4])
        session.end = end = start + fields[1]
        session.page_views = page_views
        session.interactive = flags & _INTERACTIVE != 0
        session.real = flags & _REAL != 0
        session.closed = flags & _CLOSED != 0
        session.joined = flags & _JOINED != 0
        session.marks = flags & _MARKS | flags % (1 << _ACTIONS_FROM) >> _GOALS_FROM << _GOALS_FROM
        session.actions = flags >> _ACTIONS_FROM
        at, last = _HEAD, len(fields)
        if last == _HEAD:
            return session
        name = fields[_HEAD]
        if isinstance(name, (str, bytes)):
            at += 1
            if isinstance(name, str) and name.startswith(_SPLIT_KEY):
                session.platform, _, session.campaign = name[1:].partition(_SPLIT_KEY)
            else:
                session.sid = name
        rare = fields[last - 1]
        if isinstance(rare, dict):
            last -= 1
        if at < last:
            session.page_path = PagePath.unpack(fields[at:last], page_views, start, end)
        if isinstance(rare, dict):
            session._put_rare(rare)
        return session

    def _rare(self) -> dict[str, Any]:
        """Return what few sessions hold, for storage."""
        rare: dict[str, Any] = {}
        if self.page_path is not None and (ranks := self.page_path.ranks()):
            rare[_RANKS] = ranks
        if self.traits:
            rare[_TRAITS] = self.traits
        if self.real_end >= 0:
            rare[_REAL_SPAN] = [self.real_start - self.start, self.end - self.real_end]
        return rare

    def _put_rare(self, rare: Mapping[str, Any]) -> None:
        """Restore what `_rare` returned."""
        if self.page_path is not None and _RANKS in rare:
            self.page_path.put_ranks(rare[_RANKS])
        self.traits = rare.get(_TRAITS, 0)
        if _REAL_SPAN in rare:
            after, before = rare[_REAL_SPAN]
            self.real_start, self.real_end = self.start + after, self.end - before

    def add_real(self, time_ms: int) -> None:
        """Keep the first and the last event that is more than a heartbeat."""
        if self.real_end < 0:
            self.real_start = self.real_end = time_ms
        elif time_ms > self.real_end:
            self.real_end = time_ms
        elif time_ms < self.real_start:
            self.real_start = time_ms

    def views(self) -> int:
        """Return the number of page views, or of page view ids if these are kept."""
        page_path = self.page_path
        if (
            page_path is not None
            and page_path.page_pings is not None
            and page_path.page_pings.views
        ):
            return len(page_path.page_pings.views)
        return self.page_views


def _without_mark(sid: str | bytes) -> str | bytes:
    """Return a session id, or its digest if it begins as a split key does: either finds the session."""
    return sid_digest(sid) if isinstance(sid, str) and sid.startswith(_SPLIT_KEY) else sid


def sid_digest(sid: str) -> bytes:
    """Return eight bytes that replace a session id: unique enough among the sessions of one person."""
    return blake2b(sid.encode(), digest_size=8).digest()


def view_digest(page_view_id: str | None, substitute: str) -> bytes:
    """Return eight bytes for a page view: of its id, or without one of its substitute."""
    if page_view_id is None:
        return sid_digest(f"{_SPLIT_KEY}{substitute}")
    if page_view_id.startswith(_SPLIT_KEY):
        # Else it could be taken for a substitute.
        return blake2b(page_view_id.encode(), digest_size=8, person=b"id").digest()
    return sid_digest(page_view_id)


def reached(sessions: list[Session], sid: str | None, time_ms: int, reach_ms: int) -> list[Session]:
    """Return the sessions with this id, or without one, within `reach_ms` of the event."""
    ids: tuple[str | bytes | None, ...] = (None,)
    if sid is not None:
        ids = (sid, sid_digest(sid))
    return [
        session
        for session in sessions
        if session.sid in ids and session.start - reach_ms <= time_ms <= session.end + reach_ms
    ]


def merge(into: Session, other: Session, earlier: bool) -> None:
    """Join two sessions that an event connects; `earlier`: `other` determines the segment set."""
    if earlier:
        into.segment_set_id = other.segment_set_id
    if other.traits:
        into.traits |= other.traits & (BEGUN if other.start < into.start else ENDED)
    into.start = min(into.start, other.start)
    into.end = max(into.end, other.end)
    into.page_views += other.page_views
    into.interactive |= other.interactive
    into.real |= other.real
    if other.real_end >= 0:
        into.add_real(other.real_start)
        into.add_real(other.real_end)
    into.marks = marked(into.marks, other.marks)
    into.actions += other.actions
    if into.page_path is None:
        into.page_path = other.page_path
    elif other.page_path is not None:
        into.page_path.join(other.page_path)


def marked(marks: int, more: int) -> int:
    """Return the union of two marks, with the sum of their goals."""
    return (marks | more) & _MARKS | (goals_in(marks) + goals_in(more)) << _GOALS_FROM


def goals_in(marks: int) -> int:
    """Return the number of events that reached a goal."""
    return marks >> _GOALS_FROM


def comes_first(start: int, segment_set: SegmentSet, other_start: int, other: SegmentSet) -> bool:
    """Return whether the first session precedes the other, independent of arrival order and shard."""
    return (start, segment_set.order) < (other_start, other.order)


def new_session(
    sid: str | None, time_ms: int, segment_set_id: int, split_key: tuple[str, str], alone: bool
) -> Session:
    """Begin a session by id, or a fragment of a gap session with its split key."""
    session = Session(sid, time_ms, segment_set_id)
    if sid is None:
        session.platform, session.campaign = split_key
        session.traits = ALONE * alone
    return session
