"""One person of a site: active days, sessions, subscriptions and history, and their stored form."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec
from mypy_extensions import mypyc_attr

from stream.counters.segments import SegmentSet
from stream.history.customer import Customer
from stream.history.events import HISTORY_MAX
from stream.people.active_days import REACH_DAYS, Bitmap, SegmentBitmaps, trim
from stream.people.stored.person import read_person
from stream.sessions.session import ATTACHED, Session

#: Days kept in a bitmap before the oldest acceptable event: the calendar month before its month, and
#: one day, because in the zone of a site it may still be the day before.
BITMAP_DAYS = REACH_DAYS + 1

_NEVER = 1 << 62
#: Masks from here on exceed msgpack's integers.
_WIDE = 1 << 63
#: Masks up to here are stored untrimmed: trimming would not save a byte.
_SHORT = 0x7F

#: Shared by the many people who never clicked or subscribed; never written to.
_NOTHING: list[tuple[Any, ...]] = []

_encode = msgspec.msgpack.Encoder().encode


#: Most people have no history: they share one empty dict, which is never written to.
_NO_HISTORY: dict[str, list[tuple[Any, ...]]] = {}
#: Names of the full histories of most people: an empty frozenset of its own takes 216 bytes.
_NOT_FULL: frozenset[str] = frozenset()
#: Most people have no long history: they share one empty dict, which is never written to.
_NO_INDEXES: dict[str, Any] = {}


@mypyc_attr(acyclic=True)
class Person:
    """One person of one site."""

    __slots__ = (
        "active",
        "active_segment_set",
        "active_slot",
        "changed_in",
        "clicked",
        "customer",
        "field",
        "full",
        "history",
        "hours",
        "indexes",
        "key",
        "live",
        "live_minute",
        "live_segment_set",
        "packed",
        "sessions",
        "subscriptions",
        "tail",
    )  # fmt: skip

    def __init__(self, key: str) -> None:
        self.key = key
        #: Field in the shard's hash, once stored: see `person_field`.
        self.field = b""
        #: Stored form, as long as nothing has changed since; empty: not stored yet. Not stored.
        self.packed = b""
        self.active = SegmentBitmaps()
        self.live = SegmentBitmaps()
        #: Days with a click on content; None before the first one.
        self.clicked: SegmentBitmaps | None = None
        #: Active hours, if `active.rolling_hours` is set.
        self.hours: SegmentBitmaps | None = None
        self.sessions: list[Session] = []
        #: Stored form of the subscriptions; while `customer` is set, it holds them.
        self.subscriptions: list[tuple[Any, ...]] = _NOTHING
        self.customer: Customer | None = None
        #: Name of the aggregate → entries, see history/events.py.
        self.history: dict[str, list[tuple[Any, ...]]] = _NO_HISTORY
        #: Names of the aggregates whose history is full, see engine/accept.py.
        self.full: frozenset[str] = _NOT_FULL
        #: Name of the aggregate → index of a long history, see history/learning.py. Not stored.
        self.indexes: dict[str, Any] = _NO_INDEXES
        # What the last event marked: the next event of that slot skips the bitmaps. Not stored.
        self.active_slot = -1
        self.active_segment_set: SegmentSet | None = None
        self.live_minute = -1
        self.live_segment_set: SegmentSet | None = None
        #: Number of the round between two checkpoints in which an event last changed them. Not stored.
        self.changed_in = -1
        #: The newest session. Not stored.
        self.tail: Session | None = None


def person_field(key: str) -> bytes:
    """Return a person's field in the shard's hash: a digest of 16 bytes, without the id in clear."""
    return blake2b(key.encode(), digest_size=16).digest()


def pack_all(
    people: Iterable[Person],
    oldest_day: int,
    oldest_hour: int,
    oldest_minute: int,
    oldest_session_ms: int,
    oldest_mixed_session_ms: int,
    with_key: bool,
) -> dict[bytes, bytes]:
    """Pack people: storage field → stored form, which each person keeps too."""
    packed: dict[bytes, bytes] = {}
    for person in people:
        if not person.field:
            person.field = person_field(person.key)
        person.packed = packed[person.field] = pack(
            person, oldest_day, oldest_hour, oldest_minute, oldest_session_ms,
            oldest_mixed_session_ms, with_key,
        )  # fmt: skip
    return packed


def pack(
    person: Person,
    oldest_day: int,
    oldest_hour: int,
    oldest_minute: int,
    oldest_session_ms: int,
    oldest_mixed_session_ms: int,
    with_key: bool = False,
) -> bytes:
    """Return a person as msgpack, without what no acceptable event can change any more.

    `oldest_day`, `oldest_hour` and `oldest_minute` bound the bitmaps. Sessions that closed before
    `oldest_session_ms` are left out, of people with sessions by id and by gaps those before
    `oldest_mixed_session_ms`. `with_key` also stores the key, which names the person.
    """
    sessions = person.sessions
    for session in sessions:
        if session.closed and session.end < oldest_session_ms:
            _forget_sessions(person, oldest_session_ms, oldest_mixed_session_ms)
            sessions = person.sessions
            break
    fields = [
        _packed_days(person.active, oldest_day),
        _packed(person.live, oldest_minute, drop=True),
        [session.pack() for session in sessions],
        _NOTHING if person.clicked is None else _packed_days(person.clicked, oldest_day),
        person.subscriptions
        if person.customer is None
        else person.customer.stored(oldest_session_ms),
        person.history,
        person.key if with_key else "",
        _NOTHING if person.hours is None else _packed(person.hours, oldest_hour, drop=True),
    ]
    while fields and not fields[-1]:
        fields.pop()
    return _encode(fields)


def unpack(key: str, raw: bytes) -> Person:
    """Restore the person that `pack` wrote. Raises msgspec.DecodeError on other bytes.

    An empty `key` is replaced by the stored key, if there is one.
    """
    stored = read_person(raw)
    person = Person(key or stored.key)
    if stored.active:
        person.active.restore(stored.active)
    if stored.live:
        person.live.restore(stored.live)
    if stored.clicked:
        person.clicked = SegmentBitmaps()
        person.clicked.restore(stored.clicked)
    if stored.hours:
        person.hours = SegmentBitmaps()
        person.hours.restore(stored.hours)
    person.sessions = [Session.unpack(session) for session in stored.sessions]
    if stored.subscriptions:
        person.subscriptions = stored.subscriptions
    if stored.history:
        person.history = stored.history
        full = [name for name, kept in stored.history.items() if len(kept) >= HISTORY_MAX]
        if full:
            person.full = frozenset(full)
    return person


def _forget_sessions(person: Person, oldest_ms: int, oldest_mixed_ms: int) -> None:
    by_id = [s for s in person.sessions if s.sid is not None]
    kept_from_ms = oldest_ms
    if by_id and len(by_id) < len(person.sessions):
        kept_from_ms = oldest_mixed_ms
        by_id = [s for s in by_id if not s.closed or s.end >= kept_from_ms]
    # What was counted with a session by id stays as long as that session.
    started_ms = min((s.start for s in by_id), default=_NEVER)
    person.sessions = [
        s
        for s in person.sessions
        if not s.closed or s.end >= kept_from_ms or (s.traits & ATTACHED and s.start >= started_ms)
    ]
    if person.tail not in person.sessions:
        person.tail = None


def _packed_days(bitmaps: SegmentBitmaps, oldest: int) -> list[tuple[Any, ...]]:
    """Return stored bitmaps of days; unchanged ones may hold more days than needed."""
    stored = bitmaps.stored
    if stored is None:
        stored = _packed(bitmaps, oldest) or _NOTHING
        bitmap = bitmaps.bitmap
        if bitmaps.others or bitmaps.rest or (bitmap is not None and bitmap[1] > _SHORT):
            # A short one is made anew as fast, and takes no memory.
            bitmaps.stored = stored
    return stored


def _packed(bitmaps: SegmentBitmaps, oldest: int, drop: bool = False) -> list[tuple[Any, ...]]:
    """Return bitmaps as (segments, top, mask, …); with `drop` without those that end before `oldest`."""
    if bitmaps.unread is not None:
        return [one for one in bitmaps.unread if not drop or one[1] >= oldest]
    if bitmaps.others or bitmaps.rest:
        bitmaps.shorten(oldest, drop)
        return [
            (ids, *(bitmap if bitmap[1] < _WIDE else _wide(bitmap)))
            for bitmap, ids in bitmaps.items()
            if not drop or bitmap[0] >= oldest
        ]
    bitmap, group = bitmaps.bitmap, bitmaps.group
    if bitmap is None or group is None or (drop and bitmap[0] < oldest):
        return []
    if bitmap[1] > _SHORT:
        bitmaps.bitmap = bitmap = trim(bitmap, oldest)
        if bitmap[1] >= _WIDE:
            return [(group.segment_ids, *_wide(bitmap))]
    return [(group.segment_ids, *bitmap)]


def _wide(bitmap: Bitmap) -> tuple[Any, ...]:
    """Return a bitmap whose mask exceeds msgpack's integers, as a wide skew between topics makes it."""
    size = (bitmap[1].bit_length() + 7) // 8
    return bitmap[0], bitmap[1].to_bytes(size, "big"), *bitmap[2:]
