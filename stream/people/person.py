"""What is kept about a person on a site: active days and minutes, sessions, subscription events."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from stream.counters.segments import SegmentSet
from stream.people.active_days import REACH_DAYS, Mark, SegmentMarks, trim
from stream.sessions.session import Session

#: Days kept in a mark before the oldest acceptable event: the calendar month before its month, and
#: a day, since in the zone of a site it may still be the day before.
MARK_DAYS = REACH_DAYS + 1

#: Masks from here on are longer than msgpack's integers.
_WIDE = 1 << 63
#: Masks up to this one are stored as they are: trimming would not make them shorter by a byte.
_SHORT = 0x7F

#: Shared by the many who never clicked.
_NOTHING: list[tuple[Any, ...]] = []

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode


#: Most people have none: they share one empty dict, which nobody writes to.
_NO_HISTORY: dict[str, list[tuple[Any, ...]]] = {}


class Person:
    """One person of one site. Marks are by the id of the segment they were active in."""

    __slots__ = (
        "active",
        "active_segment_set",
        "active_slot",
        "clicked",
        "field",
        "history",
        "hours",
        "key",
        "live",
        "live_minute",
        "live_segment_set",
        "sessions",
        "subscriptions",
        "tail",
    )  # fmt: skip

    def __init__(self, key: str) -> None:
        self.key = key
        #: Where it is stored, once it has been: see `person_field`.
        self.field = b""
        self.active = SegmentMarks()
        self.clicked = SegmentMarks()
        self.live = SegmentMarks()
        #: Active hours, where the settings ask for them.
        self.hours: SegmentMarks | None = None
        self.sessions: list[Session] = []
        self.subscriptions: list[tuple[Any, ...]] = []
        #: Theme → facts, see stream/history/events.py.
        self.history: dict[str, list[tuple[Any, ...]]] = _NO_HISTORY
        # What the last event already marked: lets the usual event skip the marks. Not stored.
        self.active_slot = -1
        self.active_segment_set: SegmentSet | None = None
        self.live_minute = -1
        self.live_segment_set: SegmentSet | None = None
        #: The session touched last. Not stored.
        self.tail: Session | None = None


def person_field(key: str) -> bytes:
    """Field of a person in the shard's hash: 16 bytes whatever the id, and no id in clear."""
    return blake2b(key.encode(), digest_size=16).digest()


def pack_all(
    people: Iterable[Person],
    oldest_day: int,
    oldest_hour: int,
    oldest_minute: int,
    oldest_session_ms: int,
    with_key: bool,
) -> dict[bytes, bytes]:
    """Field → what `pack` makes of the person."""
    packed: dict[bytes, bytes] = {}
    for person in people:
        if not person.field:
            person.field = person_field(person.key)
        packed[person.field] = pack(
            person, oldest_day, oldest_hour, oldest_minute, oldest_session_ms, with_key
        )
    return packed


def pack(
    person: Person,
    oldest_day: int,
    oldest_hour: int,
    oldest_minute: int,
    oldest_session_ms: int,
    with_key: bool = False,
) -> bytes:
    """A person as msgpack, without what no acceptable event can touch any more.

    `oldest_day`, `oldest_hour` and `oldest_minute` bound the marks; sessions closed with an end before
    `oldest_session_ms` are left out. The key is stored only on request: it names the person.
    """
    sessions = person.sessions
    for session in sessions:
        if session.closed and session.end < oldest_session_ms:
            _forget_sessions(person, oldest_session_ms)
            sessions = person.sessions
            break
    fields = [
        _packed_days(person.active, oldest_day),
        _packed(person.live, oldest_minute, drop=True),
        [session.pack() for session in sessions],
        _packed_days(person.clicked, oldest_day),
        person.subscriptions,
        person.history,
        person.key if with_key else "",
        [] if person.hours is None else _packed(person.hours, oldest_hour, drop=True),
    ]
    while fields and not fields[-1]:
        fields.pop()
    return _encode(fields)


def unpack(key: str, raw: bytes) -> Person:
    """The person that `pack` wrote. Raises msgspec.DecodeError on anything else.

    An empty key is taken from what is stored, if it is.
    """
    fields: list[Any] = _decode(raw)
    fields += [[]] * (8 - len(fields))
    active, live, sessions, clicked, events, history, stored_key, hours = fields
    person = Person(key or stored_key or "")
    known = [(person.active, active), (person.live, live), (person.clicked, clicked)]
    if hours:
        person.hours = SegmentMarks()
        known.append((person.hours, hours))
    for marks, stored in known:
        for ids, top, mask, *first in stored:
            number = mask if isinstance(mask, int) else int.from_bytes(mask, "big")
            marks.put(ids, (top, number, *first))
    person.sessions = [Session.unpack(session) for session in sessions]
    person.subscriptions = [tuple(event) for event in events]
    if history:
        person.history = {name: [tuple(entry) for entry in kept] for name, kept in history.items()}
    return person


def _forget_sessions(person: Person, oldest_ms: int) -> None:
    person.sessions = [s for s in person.sessions if not s.closed or s.end >= oldest_ms]
    if person.tail not in person.sessions:
        person.tail = None


def _packed_days(marks: SegmentMarks, oldest: int) -> list[tuple[Any, ...]]:
    """Marks of days; those that have not changed since may be longer than needed by now."""
    stored = marks.stored
    if stored is None:
        stored = marks.stored = _packed(marks, oldest) or _NOTHING
    return stored


def _packed(marks: SegmentMarks, oldest: int, drop: bool = False) -> list[tuple[Any, ...]]:
    """Marks as (segments, top, mask, …); with `drop` without those that end before the oldest unit."""
    if marks.others or marks.rest:
        marks.shorten(oldest, drop)
        return [
            (ids, *(mark if mark[1] < _WIDE else _wide(mark)))
            for mark, ids in marks.items()
            if not drop or mark[0] >= oldest
        ]
    mark, group = marks.mark, marks.group
    if mark is None or group is None or (drop and mark[0] < oldest):
        return []
    if mark[1] > _SHORT:
        marks.mark = mark = trim(mark, oldest)
        if mark[1] >= _WIDE:
            return [(group.segment_ids, *_wide(mark))]
    return [(group.segment_ids, *mark)]


def _wide(mark: Mark) -> tuple[Any, ...]:
    """A mask that is longer than msgpack's integers: from a wide skew between topics."""
    size = (mark[1].bit_length() + 7) // 8
    return mark[0], mark[1].to_bytes(size, "big"), *mark[2:]
